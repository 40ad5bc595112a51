// Time that passes only when a test says so.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "client/src/world.h"

namespace tarn::testing {

// Thread-safe.
class FakeTimers : public internal::Timers {
 public:
  std::unique_ptr<internal::Timer> After(std::chrono::nanoseconds delay,
                                         std::function<void()> task) override;

  // Waits until so many timers were set since the beginning.
  void AwaitSet(size_t count);

  // Lets time pass, and runs what becomes due, in order, on this thread.
  void Advance(std::chrono::nanoseconds span);

  internal::TimePoint now() const;
  // How long each timer was to wait, in the order they were set.
  std::vector<std::chrono::nanoseconds> delays() const;

 private:
  struct Task {
    internal::TimePoint due;
    std::function<void()> run;
    bool done = false;
  };
  class Handle;

  mutable std::mutex mutex_;
  std::condition_variable set_;
  internal::TimePoint now_ = internal::TimePoint(std::chrono::hours(1000));
  std::vector<std::shared_ptr<Task>> tasks_;
  std::vector<std::chrono::nanoseconds> delays_;
};

// A world on these timers, where sleeping passes time at once and is written down.
struct FakeWorld {
  std::shared_ptr<FakeTimers> timers = std::make_shared<FakeTimers>();
  std::shared_ptr<std::vector<std::chrono::nanoseconds>> slept =
      std::make_shared<std::vector<std::chrono::nanoseconds>>();

  internal::World world() const {
    return {.now = [timers = timers] { return timers->now(); },
            .sleep =
                [timers = timers, slept = slept](std::chrono::nanoseconds span) {
                  slept->push_back(span);
                  timers->Advance(span);
                },
            .timers = timers};
  }
};

}  // namespace tarn::testing
