// How a thread waits for a time or for news, whichever comes first.
#pragma once

#include <cstdint>

#include "absl/synchronization/mutex.h"
#include "storage/base/clock.h"

namespace tarn::checkpoint {

// Injected, so that in tests hours pass at once. Thread-safe.
class Waiter {
 public:
  virtual ~Waiter() = default;

  // Returns when `news` holds, or at `until` (of the clock's MonotonicNanos). `mutex` is held
  // before and after, and not meanwhile. May return early.
  virtual void WaitUntil(absl::Mutex& mutex, const absl::Condition& news, int64_t until) = 0;
};

class ClockWaiter final : public Waiter {
 public:
  explicit ClockWaiter(const base::Clock& clock) : clock_(clock) {}

  void WaitUntil(absl::Mutex& mutex, const absl::Condition& news, int64_t until) override {
    mutex.AssertHeld();
    mutex.AwaitWithTimeout(news, absl::Nanoseconds(until - clock_.MonotonicNanos()));
  }

 private:
  const base::Clock& clock_;
};

}  // namespace tarn::checkpoint
