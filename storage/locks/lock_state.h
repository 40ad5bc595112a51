// What the table knows of each lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "storage/locks/lock_record.h"
#include "storage/locks/locks.h"

namespace tarn::storage {

struct LockEntry;

// When something is to be looked at. In the order of time.
struct LockTimer {
  base::UnixMs when = 0;
  uint64_t number = 0;  // Of arming; tells equal times apart.
  LockEntry* lock = nullptr;
  bool of_waiter = false;  // Of one that waits for the lock; else of the lock itself.

  friend bool operator<(const LockTimer& left, const LockTimer& right) {
    return std::pair(left.when, left.number) < std::pair(right.when, right.number);
  }
};

// One who asks for a lock, or joins a group.
struct LockWaiter {
  std::string holder;
  std::string request_id;
  int64_t ttl_ms = 0;  // 0: for ever.
  WaitId wait_id = 0;
  uint64_t request_hash = 0;    // Of lock, holder and request id; 0: it has no id.
  Locks::Done<LockGrant> done;  // Null: taken back.
  std::optional<LockTimer> timer;
};
using LockQueue = std::list<LockWaiter>;

// One who wants a grant to end.
struct LockEnding {
  enum class Cause : uint8_t {
    kReleased,
    kForced,
    kDeleted,  // A group.
    kGivenUp,  // Whoever asked for it had gone by the time that it was granted.
  };
  Cause cause = Cause::kReleased;
  Revision token = 0;              // 0: whoever has it.
  Locks::Done<FormerHolder> done;  // Null: nobody is to be told.
  bool fits = false;               // The grant, as was found when it was looked at.
};

struct LockRenewal {
  Revision token = 0;
  int64_t ttl_ms = 0;
  Locks::Done<LockGrant> done;
  bool fits = false;
};

// A lock that is held or waited for, or a group.
//
// Its record is written once at a time (`writing`). A grant that is to end (`ending`) lets no
// fenced write in any more; its record is touched only when those inside have left (`inside` is 0).
struct LockEntry {
  LockKind kind = LockKind::kLock;
  std::string ns;
  std::string name;

  bool held = false;
  LockRecord grant;  // With its token.
  size_t inside = 0;
  bool ending = false;
  bool writing = false;
  bool stray_record = false;  // Nobody holds it, but a record may be there.
  bool resting = false;       // A write has failed: the next attempt is the timer's, or a caller's.
  std::optional<LockTimer> timer;

  LockQueue queue;
  LockQueue granting;  // At most one: whom the record being written is for.
  std::vector<LockEnding> endings;
  std::vector<LockEnding> answered;  // By the record being written.
  std::vector<LockRenewal> renewals;

  bool IsOver(base::UnixMs now) const { return held && base::HasExpired(grant.deadline, now); }
  bool IsIdle() const {
    return !held && !writing && !stray_record && inside == 0 && queue.empty() && endings.empty() &&
           renewals.empty();
  }
};

// What is left to do when the mutex has been given back: answers and writes.
class LockAfterwards {
 public:
  using Act = absl::AnyInvocable<void() &&>;

  void Add(Act act) { acts_.push_back(std::move(act)); }
  template <typename Done, typename Answer>
  void Tell(Done done, Answer answer) {
    if (!done) return;
    Add([done = std::move(done), answer = std::move(answer)]() mutable {
      std::move(done)(std::move(answer));
    });
  }

  // In order. When one of them brings forth others on this thread, as a write does that completes
  // at once, those are done after it and not within it, however long the chain is.
  void Run() &&;

 private:
  std::vector<Act> acts_;
};

}  // namespace tarn::storage
