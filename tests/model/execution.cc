#include "tests/model/execution.h"

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "storage/base/status.h"
#include "tests/contract/subject.h"
#include "tests/model/generate.h"
#include "tests/model/model.h"

namespace tarn::testing {
namespace {

template <typename... Parts>
absl::Status Mismatch(const Parts&... parts) {
  return absl::FailedPreconditionError(absl::StrCat(parts...));
}

EngineSetup Setup() {
  EngineSetup setup;
  setup.limits = ModelLimits();
  setup.max_snapshots = kModelSnapshots;
  return setup;
}

// An open snapshot and the scan of it.
struct Slot {
  std::unique_ptr<storage::Snapshot> snapshot;
  storage::SnapshotPurpose purpose = storage::SnapshotPurpose::kScan;
  uint64_t opened = 0;  // Counts openings: tells which is the oldest.
  bool ended = false;   // By a later one, for want of room.
  CursorStep plan;
  std::unique_ptr<Reader> cursor;
  std::string position;  // The last key given; empty before the first.
};

class Execution {
 public:
  explicit Execution(EngineFactory& factory)
      : subject_(Setup(), Start::kInitialised, factory), model_(ModelLimits()) {}

  absl::Status Do(const Step& step) {
    model_.BeginStep();
    return std::visit([this](const auto& one) { return Run(one); }, step);
  }

 private:
  absl::Status Run(const RunStep& step);
  absl::Status Run(const AdvanceStep& step);
  absl::Status Run(const SweepStep& step);
  absl::Status Run(const OpenStep& step) { return Open(step.slot, step.purpose); }
  absl::Status Run(const CloseStep& step);
  absl::Status Run(const CursorStep& step);
  absl::Status Run(const ReadStep& step);
  absl::Status Run(const LoadStep& step);
  absl::Status Run(const QuotaStep& step);
  absl::Status Run(const CheckStep& step);
  absl::Status Run(const ReopenStep& step);

  Op Resolve(const PlannedOp& planned) const;
  std::vector<Op> Resolve(const PlannedBatch& batch) const;
  absl::Status Open(int slot, storage::SnapshotPurpose purpose);
  Slot* OldestScan();
  std::vector<ViewBounds> Views() const;
  absl::Status ReadPage(Slot& slot, const storage::PageBudget& budget);
  absl::Status CheckPage(const Slot& slot, const PageCopy& page, const storage::PageBudget& budget,
                         const std::vector<Row>& rest) const;
  std::vector<Row> RestOf(const Slot& slot, UnixMs now) const;
  UnixMs DeadlineOf(const std::optional<int64_t>& ttl) const {
    return ttl ? subject_.now() + *ttl : kNever;
  }
  void CloseAll();

  Subject subject_;
  Model model_;
  std::array<Slot, kSlots + 1> slots_;  // The last one is CheckStep's.
  uint64_t openings_ = 0;
};

Op Execution::Resolve(const PlannedOp& planned) const {
  Op op = planned.op;
  op.deadline = DeadlineOf(planned.ttl_ms);
  if (planned.revision == PlannedOp::RevisionChoice::kNewest)
    return op.IfRevision(model_.highest());
  if (planned.revision == PlannedOp::RevisionChoice::kAsIs) return op;
  return op.IfRevision(std::max<Revision>(1, model_.history().LastChange({op.ns, op.key})));
}

std::vector<Op> Execution::Resolve(const PlannedBatch& batch) const {
  std::vector<Op> ops;
  for (const PlannedOp& planned : batch.ops) ops.push_back(Resolve(planned));
  return ops;
}

absl::Status Execution::Run(const RunStep& step) {
  const bool alone = step.batches.size() == 1;
  std::vector<std::vector<Op>> ops;
  std::vector<std::shared_ptr<Pending>> pending;
  for (size_t i = 0; i < step.batches.size(); ++i) {
    if (step.snapshot && step.snapshot->before_batch == i) {
      TARN_RETURN_IF_ERROR(Open(step.snapshot->slot, storage::SnapshotPurpose::kScan));
    }
    ops.push_back(Resolve(step.batches[i]));
    const ReadOrder order = alone ? ReadOrder::kCommitted : ReadOrder::kSubmitted;
    pending.push_back(Submit(subject_.engine(), step.batches[i].mode, ops.back(), order));
  }
  for (const auto& one : pending) one->Wait();
  for (size_t i = 0; i < pending.size(); ++i) {
    const Company company = alone ? Company::kAlone : Company::kAmongOthers;
    const absl::Status status = model_.CheckBatch(step.batches[i].mode, ops[i], pending[i]->Wait(),
                                                  subject_.now(), company);
    if (!status.ok()) return Mismatch("batch ", i, ": ", status.message());
  }
  return absl::OkStatus();
}

absl::Status Execution::Run(const AdvanceStep& step) {
  subject_.clock().Advance(step.milliseconds);
  return absl::OkStatus();
}

absl::Status Execution::Run(const SweepStep& step) {
  TARN_ASSIGN_OR_RETURN(const storage::SweepResult result,
                        subject_.engine().SweepExpired(step.budget));
  return model_.CheckSweep(result, step.budget, subject_.now(), Views());
}

Slot* Execution::OldestScan() {
  Slot* oldest = nullptr;
  for (Slot& slot : slots_) {
    if (!slot.snapshot || slot.ended || slot.purpose != storage::SnapshotPurpose::kScan) continue;
    if (oldest == nullptr || slot.opened < oldest->opened) oldest = &slot;
  }
  return oldest;
}

std::vector<ViewBounds> Execution::Views() const {
  std::vector<ViewBounds> views;
  for (const Slot& slot : slots_) {
    if (slot.snapshot && !slot.ended)
      views.push_back({slot.snapshot->revision(), slot.snapshot->as_of()});
  }
  return views;
}

absl::Status Execution::Open(int number, storage::SnapshotPurpose purpose) {
  Slot& slot = slots_[static_cast<size_t>(number)];
  slot = Slot();
  const bool full = Views().size() >= kModelSnapshots;
  Slot* const given_up = full ? OldestScan() : nullptr;
  auto snapshot = subject_.engine().OpenSnapshot(purpose);
  if (full && given_up == nullptr) {
    const std::string why = Why(snapshot.status());
    return why == "RESOURCE_EXHAUSTED TOO_MANY_SNAPSHOTS"
               ? absl::OkStatus()
               : Mismatch("one snapshot too many: ", why);
  }
  if (!snapshot.ok()) return Mismatch("no snapshot: ", Why(snapshot.status()));
  if (given_up != nullptr) given_up->ended = true;
  slot.snapshot = *std::move(snapshot);
  slot.purpose = purpose;
  slot.opened = ++openings_;
  if (slot.snapshot->as_of() != subject_.now())
    return Mismatch("the snapshot is as of ", slot.snapshot->as_of());
  if (slot.snapshot->revision() >= model_.highest()) return absl::OkStatus();
  return Mismatch("the snapshot is of ", slot.snapshot->revision(), ", acknowledged is ",
                  model_.highest());
}

absl::Status Execution::Run(const CloseStep& step) {
  slots_[static_cast<size_t>(step.slot)] = Slot();
  return absl::OkStatus();
}

absl::Status Execution::Run(const CursorStep& step) {
  Slot& slot = slots_[static_cast<size_t>(step.slot)];
  if (!slot.snapshot) return absl::OkStatus();
  slot.plan = step;
  slot.position.clear();
  slot.cursor = std::make_unique<Reader>(*slot.snapshot, step.range, step.options);
  return absl::OkStatus();
}

std::vector<Row> Execution::RestOf(const Slot& slot, UnixMs now) const {
  const storage::KeyRange& range = slot.plan.range;
  std::vector<Row> rows =
      model_.history().Range(range.ns, range.start, range.end, slot.snapshot->revision(), now);
  const bool down = slot.plan.options.direction == storage::ScanDirection::kDescending;
  if (down) std::reverse(rows.begin(), rows.end());
  const auto given = [&](const Row& row) {
    return down ? row.key >= slot.position : row.key <= slot.position;
  };
  if (!slot.position.empty())
    rows.erase(std::remove_if(rows.begin(), rows.end(), given), rows.end());
  if (slot.plan.options.content == storage::ScanContent::kKeysOnly) {
    for (Row& row : rows) row.value.clear();
  }
  return rows;
}

size_t BytesOf(const Row& row) { return row.key.size() + row.value.size(); }

absl::Status Execution::CheckPage(const Slot& slot, const PageCopy& page,
                                  const storage::PageBudget& budget,
                                  const std::vector<Row>& rest) const {
  if (slot.ended) {
    if (Why(page.status) == "ABORTED SNAPSHOT_EXPIRED" && page.rows.empty())
      return absl::OkStatus();
    return Mismatch("a page of an ended snapshot: ", Why(page.status), " and ", page.rows.size(),
                    " entries");
  }
  if (!page.status.ok()) return Mismatch("a page failed: ", Why(page.status));
  size_t bytes = 0;
  for (size_t i = 0; i < page.rows.size(); ++i) {
    if (i >= rest.size())
      return Mismatch("a page shows ", Show(page.rows[i].key), " behind the last");
    if (!(page.rows[i] == rest[i])) {
      return Mismatch("a page shows ", Show(page.rows[i]), ", must show ", Show(rest[i]));
    }
    bytes += BytesOf(page.rows[i]);
  }
  const size_t given = page.rows.size();
  if (given > 1 && (given > budget.max_entries || bytes > budget.max_bytes)) {
    return Mismatch("a page of ", given, " entries and ", bytes, " bytes is above its budget");
  }
  if (given == rest.size()) return absl::OkStatus();
  if (page.at_end) return Mismatch("the scan ended before ", Show(rest[given].key));
  const bool met = given >= budget.max_entries || bytes + BytesOf(rest[given]) > budget.max_bytes;
  return given > 0 && met ? absl::OkStatus()
                          : Mismatch("a page ended after ", given, " entries, before a bound");
}

absl::Status Execution::ReadPage(Slot& slot, const storage::PageBudget& budget) {
  const UnixMs now = slot.plan.time == ReadTime::kNow ? subject_.now() : slot.snapshot->as_of();
  const PageCopy page = slot.cursor->Next(budget, now);
  TARN_RETURN_IF_ERROR(CheckPage(slot, page, budget, RestOf(slot, now)));
  if (!page.rows.empty()) slot.position = page.rows.back().key;
  return absl::OkStatus();
}

absl::Status Execution::Run(const ReadStep& step) {
  Slot& slot = slots_[static_cast<size_t>(step.slot)];
  if (!slot.cursor) return absl::OkStatus();
  for (int i = 0; i < step.pages; ++i) TARN_RETURN_IF_ERROR(ReadPage(slot, step.budget));
  return absl::OkStatus();
}

void Execution::CloseAll() {
  for (Slot& slot : slots_) slot = Slot();
}

absl::Status Execution::Run(const LoadStep& step) {
  CloseAll();
  TARN_ASSIGN_OR_RETURN(std::unique_ptr<storage::BulkLoad> load, subject_.engine().BeginBulkLoad());
  History history;
  // As a restore does it: revisions that the store gave out in an earlier life.
  Revision revision = storage::FirstRevision(model_.incarnation()) + (Revision{1} << 30);
  for (const LoadStep::Loaded& one : step.entries) {
    const Entry entry{one.value, ++revision, DeadlineOf(one.ttl_ms)};
    const storage::EntryView view{one.ns, entry.revision, entry.deadline, one.key, entry.value};
    TARN_RETURN_IF_ERROR(load->Add(absl::MakeConstSpan(&view, 1)));
    history.Write({one.ns, one.key}, entry);
  }
  if (step.end == LoadStep::End::kAbandon) return absl::OkStatus();
  const storage::Incarnation next = model_.incarnation() + 1;
  TARN_RETURN_IF_ERROR(load->Publish({std::string(32, 'b'), next}));
  model_.Replace(std::move(history), next);
  return absl::OkStatus();
}

absl::Status Execution::Run(const QuotaStep& step) {
  subject_.ledger().SetQuota(step.ns, step.quota);
  model_.SetQuota(step.ns, step.quota);
  return absl::OkStatus();
}

absl::Status Execution::Run(const CheckStep&) {
  TARN_RETURN_IF_ERROR(model_.CheckUsage(subject_.ledger()));
  TARN_RETURN_IF_ERROR(Open(kSlots, storage::SnapshotPurpose::kScan));
  Slot& slot = slots_[kSlots];
  if (!slot.snapshot) return absl::OkStatus();
  for (NamespaceId ns = 0; ns < 5; ++ns) {
    TARN_RETURN_IF_ERROR(Run(CursorStep{kSlots, {ns, "", ""}, {}, ReadTime::kNow}));
    TARN_RETURN_IF_ERROR(ReadPage(slot, {1'000, 1 << 20}));
  }
  slot = Slot();
  Revision oldest = model_.highest();
  for (const ViewBounds& view : Views()) oldest = std::min(oldest, view.revision);
  model_.ForgetBefore(oldest);
  return absl::OkStatus();
}

absl::Status Execution::Run(const ReopenStep&) {
  CloseAll();
  TARN_RETURN_IF_ERROR(subject_.Inspect());
  subject_.Reopen();
  for (const auto& [ns, quota] : model_.quotas()) subject_.ledger().SetQuota(ns, quota);
  model_.StartIncarnation(model_.incarnation() + 1);
  return absl::OkStatus();
}

}  // namespace

std::optional<Divergence> Execute(EngineFactory& factory, const std::vector<Step>& steps) {
  size_t at = 0;
  try {
    Execution execution(factory);
    for (; at < steps.size(); ++at) {
      const absl::Status status = execution.Do(steps[at]);
      if (!status.ok()) return Divergence{at, std::string(status.message())};
    }
  } catch (const std::exception& error) {
    return Divergence{at, error.what()};
  }
  return std::nullopt;
}

}  // namespace tarn::testing
