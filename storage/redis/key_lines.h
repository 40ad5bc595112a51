// The order of commands that share keys, while some of them may be sent from node to node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"

namespace tarn::storage::redis {

// A command from when it is sent to its final answer.
struct LineMember {
  enum class State : uint8_t {
    kWaiting,  // For others that are in line before it.
    kHome,     // On the connection of its keys, in the order of the line.
    kAway,     // At another node, or about to be sent anew: nothing that shares a key goes out.
  };

  absl::InlinedVector<uint64_t, 4> keys;  // Hashes, all different. None: it waits for nobody.
  // It touches several keys of Redis: while its slot moves it may be refused (TRYAGAIN) where a
  // command of one key behind it is not.
  bool several = false;
  State state = State::kWaiting;
  bool moved = false;  // It was sent away: it does not go home again.
};

// Who may go out when.
//
// Commands of a key go out one after the other without waiting for answers, as long as none can be
// refused alone: a refused one is sent again, and what came behind it must not have been executed
// by then. So a command of one key waits for the answers of commands of several keys before it, and
// all wait for a command that is away. Not thread-safe.
class KeyLines {
 public:
  // Puts it at the end. True: it goes home now. It stays where it is until Leave.
  bool Enter(LineMember& member);

  // One that is home or away is refused, to be sent again. True: it goes away now; else it is given
  // out by Leave when it may.
  bool SendAway(LineMember& member);

  // It has its final answer. Gives those that may go out now: home, or away when they were to.
  std::vector<LineMember*> Leave(LineMember& member);

  // Keys that have somebody in line.
  size_t size() const { return lines_.size(); }

 private:
  struct Line {
    absl::InlinedVector<LineMember*, 2> members;
    int not_home = 0;     // Waiting or away.
    int one_several = 0;  // Home, with `several`, of one key here,
    int all_several = 0;  // or of any number.
  };

  static bool MayPass(const LineMember& member, int not_home, int one_several, int all_several);
  bool MayGoHome(const LineMember& member) const;
  bool IsFirst(const LineMember& member) const;
  void SetState(LineMember& member, LineMember::State state);
  void Count(const LineMember& member, int by);
  void PassOn(uint64_t key, std::vector<LineMember*>& out);
  // Whether it may leave the state of waiting; sets the next one.
  bool Release(LineMember& member);

  absl::flat_hash_map<uint64_t, Line> lines_;
};

}  // namespace tarn::storage::redis
