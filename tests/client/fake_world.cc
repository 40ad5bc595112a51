#include "tests/client/fake_world.h"

#include <algorithm>
#include <utility>

namespace tarn::testing {

class FakeTimers::Handle : public internal::Timer {
 public:
  Handle(FakeTimers* timers, std::shared_ptr<Task> task)
      : timers_(timers), task_(std::move(task)) {}
  void Cancel() override {
    const std::lock_guard lock(timers_->mutex_);
    task_->done = true;
  }

 private:
  FakeTimers* const timers_;
  const std::shared_ptr<Task> task_;
};

std::unique_ptr<internal::Timer> FakeTimers::After(std::chrono::nanoseconds delay,
                                                   std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::make_shared<Task>(Task{now_ + delay, std::move(task)}));
  delays_.push_back(delay);
  set_.notify_all();
  return std::make_unique<Handle>(this, tasks_.back());
}

void FakeTimers::AwaitSet(size_t count) {
  std::unique_lock lock(mutex_);
  set_.wait(lock, [&] { return delays_.size() >= count; });
}

void FakeTimers::Advance(std::chrono::nanoseconds span) {
  std::vector<std::shared_ptr<Task>> due;
  {
    const std::lock_guard lock(mutex_);
    now_ += span;
    for (const auto& task : tasks_) {
      if (!task->done && task->due <= now_) {
        task->done = true;
        due.push_back(task);
      }
    }
    std::erase_if(tasks_, [](const auto& task) { return task->done; });
  }
  std::ranges::stable_sort(due, {}, [](const auto& task) { return task->due; });
  for (const auto& task : due) task->run();
}

internal::TimePoint FakeTimers::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

std::vector<std::chrono::nanoseconds> FakeTimers::delays() const {
  const std::lock_guard lock(mutex_);
  return delays_;
}

}  // namespace tarn::testing
