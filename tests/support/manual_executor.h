// An executor whose tasks run when the test says so, on the test's thread.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "storage/base/executor.h"

namespace tarn::testing {

// Thread-safe; Run functions are for one thread.
class ManualExecutor final : public base::Executor {
 public:
  absl::Status Submit(base::Task task) override {
    absl::MutexLock lock(&mutex_);
    if (!refusal_.ok()) return refusal_;
    tasks_.push_back(std::move(task));
    return absl::OkStatus();
  }

  // From now on Submit gives this; OK ends it.
  void Refuse(const absl::Status& refusal) {
    absl::MutexLock lock(&mutex_);
    refusal_ = refusal;
  }

  // False when there is nothing to run.
  bool RunOne() {
    base::Task task;
    {
      absl::MutexLock lock(&mutex_);
      if (tasks_.empty()) return false;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    std::move(task)();
    return true;
  }

  // Runs until nothing is left, what was added meanwhile included; gives the number of tasks.
  size_t RunAll() {
    size_t count = 0;
    while (RunOne()) ++count;
    return count;
  }

  size_t waiting() const {
    absl::MutexLock lock(&mutex_);
    return tasks_.size();
  }

 private:
  mutable absl::Mutex mutex_;
  std::deque<base::Task> tasks_ ABSL_GUARDED_BY(mutex_);
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::testing
