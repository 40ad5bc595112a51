#include "storage/rocksdb/commit_queue.h"

#include <utility>

namespace tarn::storage::rocks {

std::unique_ptr<Submission> CommitQueue::Push(std::unique_ptr<Submission> submission) {
  absl::MutexLock lock(&mutex_);
  const bool full = batches_.size() >= limits_.max_batches ||
                    (!batches_.empty() && bytes_ + submission->bytes > limits_.max_bytes);
  if (full) return submission;
  bytes_ += submission->bytes;
  unfinished_.fetch_add(1, std::memory_order_relaxed);
  batches_.push_back(std::move(submission));
  return nullptr;
}

void CommitQueue::PushTask(Task task) {
  absl::MutexLock lock(&mutex_);
  tasks_.push_back(std::move(task));
}

void CommitQueue::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

CommitQueue::Work CommitQueue::Take(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(this, &CommitQueue::HasWork), timeout);
  Work work;
  work.tasks.swap(tasks_);
  work.batches = TakeGroup();
  work.closed = closed_ && work.tasks.empty() && work.batches.empty();
  return work;
}

// As many from the front as a group may have, at least one.
Submissions CommitQueue::TakeGroup() {
  Submissions group;
  size_t operations = 0;
  size_t bytes = 0;
  while (!batches_.empty()) {
    const Submission& next = *batches_.front();
    operations += next.batch.operations.size();
    bytes += next.bytes;
    const bool full = operations > limits_.max_group_operations || bytes > limits_.max_group_bytes;
    if (full && !group.empty()) break;
    bytes_ -= next.bytes;
    group.push_back(std::move(batches_.front()));
    batches_.pop_front();
  }
  return group;
}

}  // namespace tarn::storage::rocks
