// Time and waiting, as libtarn sees them: passed in, so that tests need not wait.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace tarn::internal {

using TimePoint = std::chrono::steady_clock::time_point;

// A task that waits. Destroying the handle changes nothing.
class Timer {
 public:
  virtual ~Timer() = default;
  // The task either has begun, or never will.
  virtual void Cancel() = 0;
};

// Thread-safe.
class Timers {
 public:
  virtual ~Timers() = default;
  // Runs `task` once after `delay`, on a thread where it must not block.
  virtual std::unique_ptr<Timer> After(std::chrono::nanoseconds delay,
                                       std::function<void()> task) = 0;
};

struct World {
  std::function<TimePoint()> now;
  std::function<void(std::chrono::nanoseconds)> sleep;
  std::shared_ptr<Timers> timers;
};

// The real one: the steady clock, and gRPC's timers, which need no thread of ours.
World RealWorld();

}  // namespace tarn::internal
