// When the next scheduled checkpoint is due.
#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace tarn::checkpoint {

struct PacingOptions {
  absl::Duration interval = absl::Seconds(10);  // Infinite: none is ever due.
  absl::Duration min_pause =
      absl::Seconds(1);  // After each; and at least as long as that one took.
};

// Ticks come at fixed times, an interval apart, whatever happens meanwhile. One that comes while a
// checkpoint is made or in the pause after it is late: it is due as soon as the pause is over,
// once, however many were late. Times are nanoseconds of the monotonic clock. Not thread-safe.
class Pacing {
 public:
  Pacing(const PacingOptions& options, int64_t now)
      : options_(options), first_tick_(now), due_(TickAfter(now)) {}

  int64_t due() const { return due_; }

  // One was made, or attempted, on schedule or on demand.
  void Ran(int64_t start, int64_t end) {
    const int64_t pause = std::max(absl::ToInt64Nanoseconds(options_.min_pause), end - start);
    due_ = std::max(TickAfter(start), end + pause);
  }

 private:
  static constexpr int64_t kNeverDue = INT64_MAX;

  int64_t TickAfter(int64_t time) const {
    if (options_.interval == absl::InfiniteDuration()) return kNeverDue;
    const int64_t interval = absl::ToInt64Nanoseconds(options_.interval);
    return first_tick_ + ((time - first_tick_) / interval + 1) * interval;
  }

  PacingOptions options_;
  int64_t first_tick_;
  int64_t due_;
};

}  // namespace tarn::checkpoint
