// Where batches wait for the writer.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "storage/rocksdb/commit_group.h"

namespace tarn::storage::rocks {

// Thread-safe. Many push, one takes.
class CommitQueue {
 public:
  struct Limits {
    size_t max_batches;
    size_t max_bytes;
    size_t max_group_operations;
    size_t max_group_bytes;
  };
  using Task = absl::AnyInvocable<void() &&>;

  // What the writer does next: the tasks, then the batches.
  struct Work {
    std::vector<Task> tasks;
    Submissions batches;
    bool closed = false;  // And nothing is left.
  };

  explicit CommitQueue(const Limits& limits) : limits_(limits) {}

  // In the order in which they are to take effect. Gives the batch back when the queue is full.
  std::unique_ptr<Submission> Push(std::unique_ptr<Submission> submission);
  // Something else for the writer's thread, between two groups.
  void PushTask(Task task);

  // Waits up to `timeout` for something to do, which may end in nothing.
  Work Take(absl::Duration timeout);
  // The batches that Take gave have been committed or refused.
  void Finished(size_t batches) { unfinished_.fetch_sub(batches, std::memory_order_release); }

  // Nothing is pushed from now on.
  void Close();

  // Whether every batch pushed so far has taken effect.
  bool idle() const { return unfinished_.load(std::memory_order_acquire) == 0; }
  // Batches pushed and not finished.
  size_t unfinished() const { return unfinished_.load(std::memory_order_relaxed); }

 private:
  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return !batches_.empty() || !tasks_.empty() || closed_;
  }
  Submissions TakeGroup() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Limits limits_;
  std::atomic<size_t> unfinished_{0};

  absl::Mutex mutex_;
  std::deque<std::unique_ptr<Submission>> batches_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // Of the batches.
  std::vector<Task> tasks_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tarn::storage::rocks
