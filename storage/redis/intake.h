// Where callers' batches come in.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "storage/batch.h"
#include "storage/redis/core.h"

namespace tarn::storage::redis {

// Brings batches from any thread to the loop's, many at once where many come. Thread-safe.
class Intake {
 public:
  // `core` outlives it. The loop ends before it does.
  Intake(Core& core, size_t max_batches) : core_(core), max_batches_(max_batches) {}

  // RESOURCE_EXHAUSTED (QUEUE_FULL), at once, while `max_batches` are under way.
  void Run(const Batch& batch, Completion done);

  // Waits until every completion has been called.
  void AwaitIdle();

  // Batches without an answer.
  size_t unfinished() const;

 private:
  struct Waiting {
    Batch batch;
    Completion done;
  };
  // What became of a batch that came in.
  enum class Taken { kRefused, kFirst, kBehindOthers };

  Taken Take(const Batch& batch, Completion& done);
  void Drain();
  void Ended();

  Core& core_;
  const size_t max_batches_;

  mutable absl::Mutex mutex_;
  std::vector<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t unfinished_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tarn::storage::redis
