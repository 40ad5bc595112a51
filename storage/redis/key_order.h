// Which commands on the same key may be under way at the same time, and in which order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"

namespace tarn::storage::redis {

class KeyOrder;

// One who wants to work on some keys. Stays where it is from Enter to Leave.
class KeyTurn {
 public:
  enum class Mode : uint8_t {
    kShared,  // Beside others of its kind: what is sent on one connection keeps its order anyway.
    kAlone,   // Nobody else: it asks first and writes then, or it must find out what happened.
  };

  virtual ~KeyTurn() = default;

  // It may begin. Called once for each Enter, perhaps from within it, or from another's Leave.
  virtual void OnTurn() = 0;

  // Hashes, all different. None: it waits for nobody.
  absl::InlinedVector<uint64_t, 2> keys;
  Mode mode = Mode::kShared;

 private:
  friend class KeyOrder;
  size_t granted_ = 0;  // Keys for which it may begin.
};

// First come, first served, on every key: whoever entered later begins later, or beside. Since one
// enters all of its keys at once, nobody waits for ever. Not thread-safe.
class KeyOrder {
 public:
  void Enter(KeyTurn& turn);

  // Of each one that entered, once: it has ended, whatever became of it. It need not have begun.
  void Leave(KeyTurn& turn);

  // Whether somebody entered a key behind it.
  bool HasFollower(const KeyTurn& turn) const;

  // Keys with somebody in line.
  size_t size() const { return lines_.size(); }

 private:
  struct Line {
    absl::InlinedVector<KeyTurn*, 2> members;  // Null: has left.
    size_t head = 0;                           // None before it is left.
    size_t next = 0;                           // The first that may not begin here.
    size_t running = 0;
    bool alone = false;  // Who runs runs alone.
  };
  using Ready = absl::InlinedVector<KeyTurn*, 4>;

  static void Grant(Line& line, Ready& ready);
  static void Remove(Line& line, const KeyTurn& turn);

  absl::flat_hash_map<uint64_t, Line> lines_;
};

}  // namespace tarn::storage::redis
