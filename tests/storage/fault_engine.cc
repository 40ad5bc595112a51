#include "tests/storage/fault_engine.h"

#include <thread>
#include <utility>

#include "storage/base/status.h"
#include "storage/scan_sessions.h"

namespace tarn::storage {

class FaultCursor final : public Cursor {
 public:
  FaultCursor(FaultEngine& engine, const Snapshot& snapshot, std::unique_ptr<Cursor> cursor)
      : engine_(engine), snapshot_(snapshot), cursor_(std::move(cursor)) {}

  void Next(const PageBudget& budget, base::UnixMs now, PageCompletion done) override {
    bool late = false;
    {
      absl::MutexLock lock(&engine_.mutex_);
      late = engine_.pages_late_;
    }
    if (!late) return Answer(budget, now, std::move(done));
    std::thread thread([this, budget, now, done = std::move(done)]() mutable {
      Answer(budget, now, std::move(done));
    });
    absl::MutexLock lock(&engine_.mutex_);
    engine_.page_threads_.push_back(std::move(thread));
  }

 private:
  void Answer(const PageBudget& budget, base::UnixMs now, PageCompletion done) {
    bool expired = false;
    {
      absl::MutexLock lock(&engine_.mutex_);
      expired = engine_.expired_.contains(&snapshot_);
    }
    if (!expired) return cursor_->Next(budget, now, std::move(done));
    Page page;
    std::move(done)(SnapshotExpired(), page);
  }

  FaultEngine& engine_;
  const Snapshot& snapshot_;
  const std::unique_ptr<Cursor> cursor_;
};

class FaultSnapshot final : public Snapshot {
 public:
  FaultSnapshot(FaultEngine& engine, std::unique_ptr<Snapshot> snapshot)
      : engine_(engine), snapshot_(std::move(snapshot)) {}
  ~FaultSnapshot() override {
    absl::MutexLock lock(&engine_.mutex_);
    engine_.open_.erase(this);
    engine_.expired_.erase(this);
  }

  Revision revision() const override { return snapshot_->revision(); }
  base::UnixMs as_of() const override { return snapshot_->as_of(); }
  std::unique_ptr<Cursor> NewCursor(const KeyRange& range, const ScanOptions& options) override {
    return std::make_unique<FaultCursor>(engine_, *this, snapshot_->NewCursor(range, options));
  }

 private:
  FaultEngine& engine_;
  const std::unique_ptr<Snapshot> snapshot_;
};

void FaultEngine::FailBatches(const absl::Status& status, BatchFilter filter) {
  absl::MutexLock lock(&mutex_);
  batch_failure_ = status;
  fails_ = std::move(filter);
}

void FaultEngine::FailAfterDoing(const absl::Status& status, BatchFilter filter) {
  absl::MutexLock lock(&mutex_);
  late_failure_ = status;
  fails_late_ = std::move(filter);
}

void FaultEngine::FailOperations(const absl::Status& status, BatchFilter filter) {
  absl::MutexLock lock(&mutex_);
  operation_failure_ = status;
  fails_each_ = std::move(filter);
}

void FaultEngine::FailOpenSnapshot(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  open_failure_ = status;
}

void FaultEngine::FailSweep(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  sweep_failure_ = status;
}

void FaultEngine::Hold(BatchFilter filter) {
  absl::MutexLock lock(&mutex_);
  holds_ = std::move(filter);
}

void FaultEngine::Release() {
  std::deque<Held> held;
  {
    absl::MutexLock lock(&mutex_);
    holds_ = nullptr;
    held.swap(held_);
  }
  std::thread([&] {
    for (Held& one : held) engine_.Run(one.batch, std::move(one.done));
  }).join();
}

size_t FaultEngine::held() const {
  absl::MutexLock lock(&mutex_);
  return held_.size();
}

void FaultEngine::HoldUnsettled() {
  absl::MutexLock lock(&mutex_);
  holds_unsettled_ = true;
}

void FaultEngine::SettleAll() {
  std::vector<absl::AnyInvocable<void() &&>> settled;
  {
    absl::MutexLock lock(&mutex_);
    holds_unsettled_ = false;
    settled.swap(unsettled_);
  }
  for (auto& one : settled) std::move(one)();
}

void FaultEngine::WhenSettled(absl::AnyInvocable<void() &&> settled) {
  {
    absl::MutexLock lock(&mutex_);
    if (holds_unsettled_) {
      unsettled_.push_back(std::move(settled));
      return;
    }
  }
  std::move(settled)();
}

void FaultEngine::AnswerPagesLate() {
  absl::MutexLock lock(&mutex_);
  pages_late_ = true;
}

void FaultEngine::JoinPages() {
  std::vector<std::thread> threads;
  {
    absl::MutexLock lock(&mutex_);
    threads.swap(page_threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

void FaultEngine::ExpireSnapshots() {
  absl::MutexLock lock(&mutex_);
  expired_ = open_;
}

size_t FaultEngine::open_snapshots() const {
  absl::MutexLock lock(&mutex_);
  return open_.size();
}

size_t FaultEngine::opened_snapshots() const {
  absl::MutexLock lock(&mutex_);
  return opened_;
}

size_t FaultEngine::batches() const {
  absl::MutexLock lock(&mutex_);
  return batches_;
}

void FaultEngine::Run(const Batch& batch, Completion done) {
  BatchResult failed;
  {
    absl::MutexLock lock(&mutex_);
    ++batches_;
    if (holds_ && holds_(batch)) {
      held_.push_back({batch, std::move(done)});
      return;
    }
    if (fails_(batch)) failed.status = batch_failure_;
    if (!operation_failure_.ok() && fails_each_(batch)) {
      for (size_t i = 0; i < batch.operations.size(); ++i) {
        failed.results.emplace_back().status = operation_failure_;
      }
    }
    if (!late_failure_.ok() && fails_late_(batch)) {
      done = [status = late_failure_, done = std::move(done)](BatchResult&) mutable {
        BatchResult unknown;
        unknown.status = status;
        std::move(done)(unknown);
      };
    }
  }
  if (!failed.status.ok() || !failed.results.empty()) return std::move(done)(failed);
  engine_.Run(batch, std::move(done));
}

absl::StatusOr<std::unique_ptr<Snapshot>> FaultEngine::OpenSnapshot(SnapshotPurpose purpose) {
  {
    absl::MutexLock lock(&mutex_);
    if (!open_failure_.ok()) return open_failure_;
  }
  TARN_ASSIGN_OR_RETURN(auto snapshot, engine_.OpenSnapshot(purpose));
  auto wrapped = std::make_unique<FaultSnapshot>(*this, std::move(snapshot));
  absl::MutexLock lock(&mutex_);
  open_.insert(wrapped.get());
  ++opened_;
  return wrapped;
}

absl::StatusOr<SweepResult> FaultEngine::SweepExpired(size_t max_entries) {
  {
    absl::MutexLock lock(&mutex_);
    if (!sweep_failure_.ok()) return sweep_failure_;
  }
  return engine_.SweepExpired(max_entries);
}

}  // namespace tarn::storage
