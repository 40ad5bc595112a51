// Where something may have expired, so that a sweep asks there alone.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "storage/base/clock.h"
#include "storage/redis/partition.h"

namespace tarn::storage::redis {

// For each partition, before when nothing in it expires, as far as is known: whoever writes a
// deadline notes it, and whoever looks notes what it found. The loop's thread's.
class DueDeadlines {
 public:
  // So often all partitions are looked at, whatever is known of them: what nobody noted, or what
  // was written later than it was noted, goes as well.
  static constexpr int64_t kFullLookNs = int64_t{60} * 1'000'000'000;

  // Before the deadline is sent.
  void Note(Partition partition, base::UnixMs deadline) {
    Known& known = known_[partition];
    known.since = std::min(known.since, deadline);
  }

  // Nothing is known of the partition, or of any.
  void Forget(Partition partition) { known_[partition] = {}; }
  void ForgetAll() { known_.fill({}); }

  // Before a round of looks: forgets all when it is time for that.
  void BeginRound(int64_t now_ns) {
    if (now_ns < full_look_ns_) return;
    full_look_ns_ = now_ns + kFullLookNs;
    ForgetAll();
  }

  // Whether something there may have expired by then. If so, the caller looks, and says by Note
  // what expires next, or by Forget that it could not see.
  bool BeginLook(Partition partition, base::UnixMs expired_by) {
    Known& known = known_[partition];
    if (std::min(known.before, known.since) > expired_by) return false;
    // What was noted lately may still be on its way: then it is not seen by this look.
    known = {known.since, kNothing};
    return true;
  }

 private:
  static constexpr base::UnixMs kNothing = std::numeric_limits<base::UnixMs>::max();

  struct Known {
    base::UnixMs before = 0;        // Noted before the last look began.
    base::UnixMs since = kNothing;  // Noted since then.
  };

  std::array<Known, kPartitions> known_;
  int64_t full_look_ns_ = std::numeric_limits<int64_t>::min();
};

}  // namespace tarn::storage::redis
