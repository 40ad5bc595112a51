// An engine that does what another one does, except where a test wants it to fail, to be late, or
// to end its snapshots.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "storage/engine.h"

namespace tarn::storage {

// What a test says of batches: true for those that it means.
using BatchFilter = std::function<bool(const Batch&)>;

inline bool AnyBatch(const Batch&) { return true; }
inline bool IsSystemWrite(const Batch& batch) {
  return batch.operations[0].ns == kSystemNamespace && !IsReadOnly(batch.operations);
}
inline bool IsUserWrite(const Batch& batch) {
  return batch.operations[0].ns != kSystemNamespace && !IsReadOnly(batch.operations);
}

// Thread-safe. The other engine outlives it.
class FaultEngine final : public Engine {
 public:
  explicit FaultEngine(Engine& engine) : engine_(engine) {}

  // Batches that the filter means fail with `status`; nothing is done. OK ends it.
  void FailBatches(const absl::Status& status, BatchFilter filter = AnyBatch);
  // They are done all the same.
  void FailAfterDoing(const absl::Status& status, BatchFilter filter);
  // Each operation of theirs fails by itself; nothing is done.
  void FailOperations(const absl::Status& status, BatchFilter filter = AnyBatch);
  void FailOpenSnapshot(const absl::Status& status);
  void FailSweep(const absl::Status& status);

  // Batches that the filter means wait, in their order, until Release runs them on a thread of its
  // own and joins it.
  void Hold(BatchFilter filter);
  void Release();
  size_t held() const;

  // What was reported to be unknown stays unsettled until SettleAll.
  void HoldUnsettled();
  void SettleAll();

  // Every Next of a cursor answers on a thread of its own, which JoinPages waits for.
  void AnswerPagesLate();
  void JoinPages();

  // Ends all open snapshots: their cursors give SNAPSHOT_EXPIRED.
  void ExpireSnapshots();
  size_t open_snapshots() const;
  size_t opened_snapshots() const;

  size_t batches() const;

  void Run(const Batch& batch, Completion done) override;
  void WhenSettled(absl::AnyInvocable<void() &&> settled) override;
  absl::StatusOr<std::unique_ptr<Snapshot>> OpenSnapshot(SnapshotPurpose purpose) override;
  absl::StatusOr<std::unique_ptr<BulkLoad>> BeginBulkLoad() override {
    return engine_.BeginBulkLoad();
  }
  absl::StatusOr<SweepResult> SweepExpired(size_t max_entries) override;
  EngineStats Stats() const override { return engine_.Stats(); }
  absl::StatusOr<std::optional<StoreMeta>> ReadMeta() override { return engine_.ReadMeta(); }
  absl::Status WriteMeta(const StoreMeta& meta) override { return engine_.WriteMeta(meta); }
  absl::string_view name() const override { return engine_.name(); }
  absl::string_view durability() const override { return engine_.durability(); }

 private:
  friend class FaultSnapshot;
  friend class FaultCursor;

  struct Held {
    Batch batch;
    Completion done;
  };

  Engine& engine_;
  mutable absl::Mutex mutex_;
  absl::Status batch_failure_ ABSL_GUARDED_BY(mutex_);
  BatchFilter fails_ ABSL_GUARDED_BY(mutex_) = AnyBatch;
  absl::Status operation_failure_ ABSL_GUARDED_BY(mutex_);
  BatchFilter fails_each_ ABSL_GUARDED_BY(mutex_) = AnyBatch;
  absl::Status late_failure_ ABSL_GUARDED_BY(mutex_);
  BatchFilter fails_late_ ABSL_GUARDED_BY(mutex_) = AnyBatch;
  absl::Status open_failure_ ABSL_GUARDED_BY(mutex_);
  absl::Status sweep_failure_ ABSL_GUARDED_BY(mutex_);
  BatchFilter holds_ ABSL_GUARDED_BY(mutex_);
  std::deque<Held> held_ ABSL_GUARDED_BY(mutex_);
  bool holds_unsettled_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<absl::AnyInvocable<void() &&>> unsettled_ ABSL_GUARDED_BY(mutex_);
  bool pages_late_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> page_threads_ ABSL_GUARDED_BY(mutex_);
  std::set<const Snapshot*> open_ ABSL_GUARDED_BY(mutex_);
  std::set<const Snapshot*> expired_ ABSL_GUARDED_BY(mutex_);
  size_t opened_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t batches_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tarn::storage
