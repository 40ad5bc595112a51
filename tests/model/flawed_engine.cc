#include "tests/model/flawed_engine.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "storage/base/clock.h"
#include "storage/engine.h"
#include "tests/contract/subject.h"
#include "tests/model/reference_engine.h"

namespace tarn::testing {
namespace {

using storage::Batch;
using storage::Operation;
using storage::OperationKind;
using storage::Precondition;

// What the flawed engine takes for the time and the ledger.
class SkewedClock final : public base::Clock {
 public:
  explicit SkewedClock(base::Clock& clock) : clock_(clock) {}
  UnixMs Now() const override { return clock_.Now() + skew_; }
  int64_t MonotonicNanos() const override { return clock_.MonotonicNanos(); }
  void Skew(int64_t milliseconds) { skew_ = milliseconds; }

 private:
  base::Clock& clock_;
  int64_t skew_ = 0;
};

class FlawedCursor final : public storage::Cursor {
 public:
  FlawedCursor(std::unique_ptr<storage::Cursor> cursor, const base::Clock& clock, Flaw flaw)
      : cursor_(std::move(cursor)), clock_(clock), flaw_(flaw) {}

  void Next(const storage::PageBudget& budget, UnixMs now, storage::PageCompletion done) override {
    storage::PageBudget wanted = budget;
    if (flaw_ == Flaw::kPageTooLarge) ++wanted.max_entries;
    const bool skips = flaw_ == Flaw::kPageSkipsEntry && pages_++ > 0;
    const UnixMs judged_at = flaw_ == Flaw::kScanIgnoresItsTime ? clock_.Now() : now;
    cursor_->Next(
        wanted, judged_at,
        [skips, done = std::move(done)](const absl::Status& status, storage::Page& page) mutable {
          if (skips && !page.entries.empty()) page.entries.erase(page.entries.begin());
          std::move(done)(status, page);
        });
  }

 private:
  const std::unique_ptr<storage::Cursor> cursor_;
  const base::Clock& clock_;
  const Flaw flaw_;
  int pages_ = 0;
};

class FlawedSnapshot final : public storage::Snapshot {
 public:
  FlawedSnapshot(storage::Engine& engine, std::unique_ptr<storage::Snapshot> snapshot,
                 const base::Clock& clock, Flaw flaw)
      : engine_(engine), snapshot_(std::move(snapshot)), clock_(clock), flaw_(flaw) {}

  Revision revision() const override { return snapshot_->revision(); }
  UnixMs as_of() const override { return snapshot_->as_of(); }

  std::unique_ptr<storage::Cursor> NewCursor(const storage::KeyRange& range,
                                             const storage::ScanOptions& options) override {
    storage::KeyRange wanted = range;
    const bool down = options.direction == storage::ScanDirection::kDescending;
    if (flaw_ == Flaw::kDescendingEndsEarly && down && !wanted.start.empty())
      wanted.start.push_back('\0');
    if (flaw_ == Flaw::kSnapshotIsNotFixed) {
      auto later = engine_.OpenSnapshot(storage::SnapshotPurpose::kCheckpoint);
      if (later.ok()) later_.push_back(*std::move(later));
    }
    storage::Snapshot& shown = later_.empty() ? *snapshot_ : *later_.back();
    return std::make_unique<FlawedCursor>(shown.NewCursor(wanted, options), clock_, flaw_);
  }

 private:
  storage::Engine& engine_;
  const std::unique_ptr<storage::Snapshot> snapshot_;
  std::vector<std::unique_ptr<storage::Snapshot>> later_;
  const base::Clock& clock_;
  const Flaw flaw_;
};

class FlawedLoad final : public storage::BulkLoad {
 public:
  FlawedLoad(std::unique_ptr<storage::BulkLoad> load, std::vector<Row> old, Flaw flaw)
      : load_(std::move(load)), old_(std::move(old)), flaw_(flaw) {}

  absl::Status Add(absl::Span<const storage::EntryView> entries) override {
    std::vector<storage::EntryView> copies(entries.begin(), entries.end());
    for (storage::EntryView& entry : copies) {
      if (flaw_ == Flaw::kLoadForgetsDeadlines) entry.deadline = kNever;
      std::erase_if(
          old_, [&entry](const Row& row) { return entry.ns == row.ns && entry.key == row.key; });
    }
    return load_->Add(copies);
  }

  absl::Status Publish(const storage::StoreMeta& meta) override {
    for (const Row& row : old_) {
      const storage::EntryView entry{row.ns, row.revision, row.deadline, row.key, row.value};
      if (!load_->Add(absl::MakeConstSpan(&entry, 1)).ok())
        return absl::InternalError("cannot add");
    }
    return load_->Publish(meta);
  }

 private:
  const std::unique_ptr<storage::BulkLoad> load_;
  std::vector<Row> old_;
  const Flaw flaw_;
};

class FlawedEngine final : public storage::Engine {
 public:
  FlawedEngine(Flaw flaw, const EngineSetup& setup, const World& world)
      : flaw_(flaw), clock_(world.clock), ledger_(world.ledger) {
    ReferenceEngineOptions options;
    options.limits = setup.limits;
    options.max_snapshots = setup.max_snapshots;
    if (flaw == Flaw::kSnapshotIsNotFixed) options.max_snapshots *= 100;
    if (flaw == Flaw::kResponseLimitIgnored) options.limits.max_response_bytes = 1 << 30;
    engine_ =
        NewReferenceEngine(options, clock_, flaw == Flaw::kQuotaIgnored ? without_quota_ : ledger_);
  }

  void Run(const Batch& batch, storage::Completion done) override;

  absl::StatusOr<std::unique_ptr<storage::Snapshot>> OpenSnapshot(
      storage::SnapshotPurpose purpose) override {
    auto snapshot = engine_->OpenSnapshot(purpose);
    if (!snapshot.ok()) return snapshot;
    return std::make_unique<FlawedSnapshot>(*engine_, *std::move(snapshot), clock_, flaw_);
  }

  absl::StatusOr<std::unique_ptr<storage::BulkLoad>> BeginBulkLoad() override {
    auto load = engine_->BeginBulkLoad();
    if (!load.ok()) return load;
    std::vector<Row> old;
    if (flaw_ == Flaw::kLoadKeepsOld) {
      auto snapshot = engine_->OpenSnapshot(storage::SnapshotPurpose::kCheckpoint);
      if (snapshot.ok()) old = ReadAll(**snapshot, clock_.Now());
    }
    return std::make_unique<FlawedLoad>(*std::move(load), std::move(old), flaw_);
  }

  absl::StatusOr<storage::SweepResult> SweepExpired(size_t max_entries) override {
    clock_.Skew(flaw_ == Flaw::kSweepsTheLiving ? 1 : 0);
    auto result = engine_->SweepExpired(max_entries);
    clock_.Skew(0);
    return result;
  }

  storage::EngineStats Stats() const override { return engine_->Stats(); }
  absl::StatusOr<std::optional<storage::StoreMeta>> ReadMeta() override {
    return engine_->ReadMeta();
  }
  absl::Status WriteMeta(const storage::StoreMeta& meta) override {
    return engine_->WriteMeta(meta);
  }
  absl::string_view name() const override { return "flawed"; }
  absl::string_view durability() const override { return "Nothing survives."; }

 private:
  Operation Changed(const Operation& operation);
  bool IsMissing(const Operation& operation);
  void RunBackwards(const std::vector<Operation>& operations, storage::Completion done);
  void DoHalf(const std::vector<Operation>& operations);

  const Flaw flaw_;
  SkewedClock clock_;
  storage::UsageLedger& ledger_;
  storage::UsageLedger without_quota_;
  std::unique_ptr<storage::Engine> engine_;
};

bool FlawedEngine::IsMissing(const Operation& operation) {
  Operation get;
  get.ns = operation.ns;
  get.key = operation.key;
  bool found = false;
  engine_->Run({BatchMode::kIndependent, ReadOrder::kCommitted, absl::MakeConstSpan(&get, 1)},
               [&found](storage::BatchResult& result) { found = result.results[0].found; });
  return !found;
}

Operation FlawedEngine::Changed(const Operation& operation) {
  Operation changed = operation;
  if (flaw_ == Flaw::kDeadlineOffByOne && changed.deadline != kNever) ++changed.deadline;
  if (flaw_ == Flaw::kKeepsNoDeadline) changed.deadline_rule = storage::DeadlineRule::kSet;
  if (flaw_ == Flaw::kPreconditionOfGet && changed.kind == OperationKind::kGet)
    changed.precondition = {};
  const bool of_revision = changed.precondition.kind == Precondition::Kind::kRevision;
  if (flaw_ == Flaw::kRevisionOfMissingKey && of_revision && IsMissing(operation))
    changed.precondition = {};
  return changed;
}

void FlawedEngine::RunBackwards(const std::vector<Operation>& operations,
                                storage::Completion done) {
  const std::vector<Operation> reversed(operations.rbegin(), operations.rend());
  engine_->Run({BatchMode::kIndependent, ReadOrder::kCommitted, reversed},
               [done = std::move(done)](storage::BatchResult& result) mutable {
                 std::reverse(result.results.begin(), result.results.end());
                 std::move(done)(result);
               });
}

void FlawedEngine::DoHalf(const std::vector<Operation>& operations) {
  engine_->Run({BatchMode::kIndependent, ReadOrder::kCommitted, operations},
               [](storage::BatchResult&) {});
}

void FlawedEngine::Run(const Batch& batch, storage::Completion done) {
  std::vector<Operation> operations;
  for (const Operation& operation : batch.operations) operations.push_back(Changed(operation));
  const bool atomic = batch.mode == BatchMode::kAtomic;
  if (flaw_ == Flaw::kBackwards && !atomic) return RunBackwards(operations, std::move(done));
  engine_->Run({batch.mode, batch.read_order, operations}, [&](storage::BatchResult& result) {
    const bool undone = atomic && !result.status.ok();
    if (undone && flaw_ == Flaw::kHalfDone) DoHalf(operations);
    if (undone && flaw_ == Flaw::kLedgerDrifts) ledger_.Add(operations[0].ns, {1, 0});
    if (flaw_ == Flaw::kRevisionTooLow && !result.results.empty() &&
        result.results[0].revision != 0) {
      --result.results[0].revision;
    }
    std::move(done)(result);
  });
}

class FlawedFactory final : public EngineFactory {
 public:
  explicit FlawedFactory(Flaw flaw) : flaw_(flaw) {}

  absl::StatusOr<std::unique_ptr<storage::Engine>> Open(const EngineSetup& setup,
                                                        const World& world) override {
    return std::make_unique<FlawedEngine>(flaw_, setup, world);
  }

 private:
  const Flaw flaw_;
};

}  // namespace

std::unique_ptr<EngineFactory> NewFlawedFactory(Flaw flaw) {
  return std::make_unique<FlawedFactory>(flaw);
}

}  // namespace tarn::testing
