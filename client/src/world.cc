#include "client/src/world.h"

#include <mutex>
#include <thread>
#include <utility>

#include <grpc/support/time.h>
#include <grpcpp/alarm.h>

namespace tarn::internal {
namespace {

// What a timer and its alarm share. The alarm's callback comes in any case, also after a
// cancellation.
struct AlarmState {
  std::mutex mutex;
  std::function<void()> task;  // Empty when run or cancelled.
  std::unique_ptr<grpc::Alarm> alarm;
};

std::function<void()> TakeTask(AlarmState& state) {
  const std::lock_guard lock(state.mutex);
  return std::exchange(state.task, nullptr);
}

class AlarmTimer : public Timer {
 public:
  explicit AlarmTimer(std::shared_ptr<AlarmState> state) : state_(std::move(state)) {}
  void Cancel() override {
    TakeTask(*state_);
    const std::lock_guard lock(state_->mutex);
    if (state_->alarm != nullptr) state_->alarm->Cancel();
  }

 private:
  const std::shared_ptr<AlarmState> state_;
};

class AlarmTimers : public Timers {
 public:
  std::unique_ptr<Timer> After(std::chrono::nanoseconds delay,
                               std::function<void()> task) override {
    auto state = std::make_shared<AlarmState>();
    const std::lock_guard lock(state->mutex);
    state->task = std::move(task);
    state->alarm = std::make_unique<grpc::Alarm>();
    const gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                               gpr_time_from_nanos(delay.count(), GPR_TIMESPAN));
    state->alarm->Set(deadline, [state](bool) { Fire(*state); });
    return std::make_unique<AlarmTimer>(state);
  }

 private:
  static void Fire(AlarmState& state) {
    if (const auto task = TakeTask(state)) task();
    // The alarm holds the callback that holds the state: without this neither would ever be freed.
    std::unique_ptr<grpc::Alarm> alarm;
    const std::lock_guard lock(state.mutex);
    alarm = std::move(state.alarm);
  }
};

}  // namespace

World RealWorld() {
  return {.now = [] { return std::chrono::steady_clock::now(); },
          .sleep = [](std::chrono::nanoseconds span) { std::this_thread::sleep_for(span); },
          .timers = std::make_shared<AlarmTimers>()};
}

}  // namespace tarn::internal
