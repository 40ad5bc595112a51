// Creates checkpoints, one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "checkpoint/catalog.h"
#include "checkpoint/observer.h"
#include "checkpoint/progress.h"
#include "checkpoint/retention.h"
#include "checkpoint/writer.h"
#include "storage/base/clock.h"
#include "storage/engine.h"
#include "storage/usage.h"

namespace tarn::checkpoint {

struct CheckpointerOptions {
  WriterOptions writer;
  RetentionPolicy retention;
  uint64_t min_free_bytes = 64 << 20;  // Left on the disk for everybody else.
  int max_attempts = 3;                // At snapshots that end while they are written.
};

// What becomes of a request when nothing was committed since the newest checkpoint.
enum class IfUnchanged {
  kConfirm,   // That one stands for it.
  kWriteNew,  // It is written all the same.
};

// Whether retention looks at the older ones afterwards.
enum class OlderOnes { kJudge, kKeep };

struct CreateRequest {
  IfUnchanged if_unchanged = IfUnchanged::kConfirm;
  std::string pin_reason;  // Pins it before retention could look at it. Empty: not pinned.
  OlderOnes older_ones = OlderOnes::kJudge;
};

// What the creating has come to, for people and metrics.
struct CheckpointerStatus {
  uint64_t created = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  uint64_t skipped = 0;                  // Confirmed: nothing was committed since.
  uint64_t deleted = 0;                  // By retention.
  base::UnixMs last_success_time = 0;    // When a new one was published; 0: not in this process.
  absl::Duration last_duration;          // Of that.
  std::optional<CheckpointInfo> newest;  // The newest intact one of the catalog.
  // When that was known to hold the current state: published or confirmed. 0 without one.
  base::UnixMs confirmed_time = 0;
  absl::Status last_error;           // Of the last failure; OK once one succeeded after it.
  base::UnixMs last_error_time = 0;  // 0: none in this process.

  // Of the newest: bytes of keys and values to bytes of the file; 0 without one.
  double compression_ratio() const;
};

// A checkpoint as a list shows it.
struct ListedCheckpoint {
  CheckpointInfo info;
  RetentionVerdict verdict;  // Of the next retention.
};

// Who makes checkpoints for the scheduler: Checkpointer, or a test.
class CheckpointMaker {
 public:
  virtual ~CheckpointMaker() = default;
  virtual absl::StatusOr<CreateReport> Create(const CreateRequest& request, Progress& progress) = 0;
};

// Create is called by one thread at a time, and blocks; all else is thread-safe. Whatever goes
// wrong with one checkpoint ends that one alone: its temporary file goes, the earlier ones stay,
// and the next one tries anew.
class Checkpointer final : public CheckpointMaker {
 public:
  struct Dependencies {
    storage::Engine& engine;
    const storage::UsageLedger& ledger;  // The one the engine keeps.
    Catalog& catalog;                    // Bound.
    const base::Clock& clock;
    CheckpointObserver& observer;
  };

  Checkpointer(const Dependencies& dependencies, const storage::StoreMeta& meta,
               const CheckpointerOptions& options);

  // Errors: what the engine says to a snapshot, what the file system says, DISK_FULL when there is
  // not room enough to begin, CANCELLED.
  absl::StatusOr<CreateReport> Create(const CreateRequest& request, Progress& progress) override;

  CheckpointerStatus Status() const;
  std::vector<ListedCheckpoint> List() const;

  // Takes the place of the policy given at the start.
  void SetRetention(const RetentionPolicy& policy);
  RetentionPolicy retention() const;

  // This run has taken its state from a checkpoint after all (a restore while running): earlier
  // incarnations need no protection any more.
  void StopProtecting();

 private:
  absl::StatusOr<CreateReport> CreateOrConfirm(const CreateRequest& request, Progress& progress);
  std::optional<CheckpointInfo> FindUnchanged();
  absl::StatusOr<CheckpointInfo> WriteNew(Progress& progress);
  absl::StatusOr<CheckpointInfo> WriteOnce(Progress& progress);
  absl::Status CheckSpace(storage::Snapshot& snapshot, Progress& progress) const;
  size_t Retain();
  void Record(const absl::StatusOr<CreateReport>& report);

  const Dependencies dependencies_;
  const storage::StoreMeta meta_;
  const CheckpointerOptions options_;

  mutable absl::Mutex mutex_;
  RetentionPolicy retention_ ABSL_GUARDED_BY(mutex_);
  CheckpointerStatus status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::checkpoint
