// One full reading of a checkpoint, on several threads.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "checkpoint/content_digest.h"
#include "checkpoint/progress.h"
#include "checkpoint/reader.h"

namespace tarn::checkpoint {

// Used once, for one call of CheckpointReader::ReadAll. The calling thread is one of its threads.
class ReadingAll {
 public:
  ReadingAll(const CheckpointReader& reader, CheckpointReader::OnBlock on_block,
             Progress& progress);

  absl::Status Run();

 private:
  struct Tally {
    uint64_t entries = 0;
    uint64_t data_bytes = 0;
    ContentDigest digest;
  };

  void ReadBlocks();
  absl::Status ReadBlock(size_t index, Tally* tally);
  absl::Status CheckOrder() const;
  absl::Status CheckTotals() const;
  absl::Status CheckSystem() const;
  void Fail(const absl::Status& status);

  const CheckpointReader& reader_;
  const CheckpointReader::OnBlock on_block_;
  Progress& progress_;
  std::atomic<size_t> next_block_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::string> last_keys_;  // Of each block, written by the thread that reads it.

  mutable absl::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  Tally total_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::checkpoint
