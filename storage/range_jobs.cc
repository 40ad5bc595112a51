#include "storage/range_jobs.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "storage/base/error.h"

namespace tarn::storage {
namespace {

// Large enough that a step's cost does not count, small enough that it takes its turn quickly.
constexpr PageBudget kCountPage = {.max_entries = 4096, .max_bytes = 256 << 10};
// Bounds how long one commit keeps other writers waiting.
constexpr PageBudget kDeletePage = {.max_entries = 512, .max_bytes = 64 << 10};

class CountTask final : public RangeTask {
 public:
  CountTask(const RangeTaskContext& context, KeyRange range, StopRequested stop,
            Store::Done<CountResult> done)
      : RangeTask(context, std::move(range), ScanContent::kKeysOnly, kCountPage, std::move(stop)),
        done_(std::move(done)) {}

 private:
  void Take(const Page& page) override { entries_ += page.entries.size(); }

  void Finished(const absl::Status& status) override {
    if (!status.ok()) return std::move(done_)(status);
    std::move(done_)(CountResult{.entries = entries_, .revision = revision()});
  }

  uint64_t entries_ = 0;
  Store::Done<CountResult> done_;
};

// A cursor's page cannot be made smaller than one entry, so this ends with the first page.
class ProbeTask final : public RangeTask {
 public:
  ProbeTask(const RangeTaskContext& context, KeyRange range, Store::Done<Occupancy> done)
      : RangeTask(context, std::move(range), ScanContent::kKeysOnly, {.max_entries = 1}, nullptr),
        done_(std::move(done)) {}

 private:
  void Take(const Page& page) override {
    if (!page.entries.empty()) occupied_ = true;
  }
  void Act() override { Proceed(occupied_ ? absl::CancelledError() : absl::OkStatus()); }

  void Finished(const absl::Status& status) override {
    if (occupied_) return std::move(done_)(Occupancy::kOccupied);
    if (!status.ok()) return std::move(done_)(status);
    std::move(done_)(Occupancy::kEmpty);
  }

  bool occupied_ = false;
  Store::Done<Occupancy> done_;
};

class DeletionTask final : public RangeTask {
 public:
  DeletionTask(const RangeTaskContext& context, KeyRange range, RangeFence fence,
               const PageBudget& page, StopRequested stop, Store::Done<DeleteRangeResult> done)
      : RangeTask(context, std::move(range), ScanContent::kKeysOnly, page, std::move(stop)),
        fence_(std::move(fence)),
        done_(std::move(done)) {}

 private:
  void Take(const Page& page) override;
  void Act() override;
  absl::Status Tally(const BatchResult& result);

  void Finished(const absl::Status& status) override {
    if (!status.ok()) return std::move(done_)(status);
    std::move(done_)(result_);
  }

  const RangeFence fence_;
  base::Arena keys_;
  std::vector<Operation> operations_;
  DeleteRangeResult result_;
  Store::Done<DeleteRangeResult> done_;
};

void DeletionTask::Take(const Page& page) {
  keys_.Reset();
  operations_.clear();
  for (const EntryView& entry : page.entries) {
    Operation& operation = operations_.emplace_back();
    operation.kind = OperationKind::kDelete;
    operation.ns = entry.ns;
    operation.key = keys_.Copy(entry.key);
    operation.precondition = {.kind = Precondition::Kind::kRevision, .revision = entry.revision};
  }
}

void DeletionTask::Act() {
  if (operations_.empty()) return Proceed(absl::OkStatus());
  const Batch batch{.mode = BatchMode::kIndependent, .operations = operations_};
  absl::StatusOr<LockTable::Pass> pass = fence_.Enter();
  if (!pass.ok()) return Proceed(pass.status());
  auto self = std::static_pointer_cast<DeletionTask>(shared_from_this());
  engine().Run(batch, [self, pass = *std::move(pass)](BatchResult& result) mutable {
    LockTable::GiveBack(std::move(pass), result, self->engine());
    self->Proceed(self->Tally(result));
  });
}

absl::Status DeletionTask::Tally(const BatchResult& result) {
  if (!result.status.ok()) return result.status;
  absl::Status first_error;
  for (const OperationResult& deleted : result.results) {
    if (deleted.status.ok()) {
      result_.entries += deleted.found ? 1 : 0;
      result_.revision = std::max(result_.revision, deleted.revision);
    } else if (base::ReasonOf(deleted.status) != base::Reason::kRevisionMismatch) {
      // A mismatch is an entry that was written, removed or expired meanwhile: not ours any more.
      first_error.Update(deleted.status);
    }
  }
  return first_error;
}

}  // namespace

void CountRange(const RangeTaskContext& context, KeyRange range, StopRequested stop,
                Store::Done<CountResult> done) {
  std::make_shared<CountTask>(context, std::move(range), std::move(stop), std::move(done))->Start();
}

void DeleteRange(const RangeTaskContext& context, KeyRange range, RangeFence fence,
                 const Limits& limits, StopRequested stop, Store::Done<DeleteRangeResult> done) {
  PageBudget page = kDeletePage;
  page.max_entries = std::min(page.max_entries, limits.max_batch_operations);
  std::make_shared<DeletionTask>(context, std::move(range), std::move(fence), page, std::move(stop),
                                 std::move(done))
      ->Start();
}

void ProbeRange(const RangeTaskContext& context, KeyRange range, Store::Done<Occupancy> done) {
  std::make_shared<ProbeTask>(context, std::move(range), std::move(done))->Start();
}

}  // namespace tarn::storage
