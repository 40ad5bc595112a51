// Keeps requests from a node that does not answer, so that callers learn it at once and the node is
// left alone while it comes back.
#pragma once

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "storage/base/clock.h"
#include "storage/redis_stats.h"

namespace tarn::storage::redis {

// Thread-safe. Of one node, for as long as that node is known.
class CircuitBreaker {
 public:
  struct Options {
    int failures_to_open = 5;    // One after the other: fewer happen whenever a connection is lost.
    int64_t open_ms = 1000;      // Then one probe. Failed probes double it,
    int64_t max_open_ms = 5000;  // up to this: as long as the longest wait between retries.
    int64_t probe_patience_ms = 5000;  // A probe that is not reported by then has failed.
  };

  using State = BreakerState;

  // What a request was let through as; it is reported back with the result.
  enum class Permit : uint8_t { kRefused, kNormal, kProbe };

  CircuitBreaker(const base::Clock& clock, const Options& options)
      : clock_(clock), options_(options) {}

  // Asks for one request. Unless refused, exactly one of the next two should follow.
  Permit Ask();

  // The node answered, whatever it said.
  void RecordSuccess(Permit permit);
  // It did not. What was sent before the breaker opened counts no more once it has.
  void RecordFailure(Permit permit);

  State state() const;
  // How often it opened because requests failed, failed probes left out.
  uint64_t times_opened() const;

 private:
  void Open(int64_t for_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t NowMs() const { return clock_.MonotonicNanos() / 1'000'000; }

  const base::Clock& clock_;
  const Options options_;

  mutable absl::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kClosed;
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;  // In a row, while closed.
  int64_t open_for_ms_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t until_ms_ ABSL_GUARDED_BY(mutex_) = 0;  // When open or half-open: of the next probe.
  uint64_t times_opened_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tarn::storage::redis
