#include "storage/redis/batch_run.h"

#include <algorithm>
#include <utility>

#include "storage/base/error.h"
#include "storage/redis/commit_unit.h"
#include "storage/redis/entry_view.h"
#include "storage/redis/put_unit.h"
#include "storage/redis/read_unit.h"

namespace tarn::storage::redis {
namespace {

bool ReturnsValue(OperationKind kind) {
  return kind == OperationKind::kGet || kind == OperationKind::kTake;
}

bool HasTake(absl::Span<const Operation> operations) {
  return std::any_of(operations.begin(), operations.end(), [](const Operation& operation) {
    return operation.kind == OperationKind::kTake;
  });
}

}  // namespace

BatchRun::BatchRun(Core& core, const Batch& batch, Completion done, Then ended)
    : core_(core), batch_(batch), done_(std::move(done)), ended_(std::move(ended)) {}

void BatchRun::Start(Core& core, const Batch& batch, Completion done, Then ended) {
  auto* const run = new BatchRun(core, batch, std::move(done), std::move(ended));
  if (batch.operations.empty()) return run->FinishAll();
  run->as_one_ =
      batch.mode == BatchMode::kAtomic && batch.operations.size() == 1 && batch.receipt == nullptr;
  if (batch.mode == BatchMode::kIndependent || run->as_one_) return run->StartIndependent();
  run->result_.results.reserve(batch.operations.size());
  if (IsReadOnly(batch.operations)) {
    StartAtomicReads(core, *run);
  } else {
    StartAtomicCommit(core, *run);
  }
}

void BatchRun::StartIndependent() {
  const absl::Span<const Operation> operations = batch_.operations;
  const bool read_only = IsReadOnly(operations);
  unfinished_ = operations.size();
  result_.results.resize(operations.size());
  if (operations.size() > 1 && HasTake(operations)) {
    sizes_.resize(operations.size());
    alive_ = std::make_shared<int>(0);
  }
  used_bytes_ = operations.size() * kResultOverheadBytes;
  if (operations.size() > 1 && !read_only) {
    commit_turns_.resize(operations.size());
    for (size_t i = 0; i < operations.size(); ++i) {
      commit_turns_[i].passed = !IsMutation(operations[i].kind);
    }
  }
  const bool together =
      read_only && batch_.read_order == ReadOrder::kCommitted && core_.link->spans_partitions();
  if (!together) {
    for (size_t i = 0; i < operations.size(); ++i) StartOne(i);
    return;
  }
  std::vector<uint32_t> indexes(operations.size());
  for (size_t i = 0; i < indexes.size(); ++i) indexes[i] = static_cast<uint32_t>(i);
  for (size_t i = 0; i < indexes.size(); i += kReadsPerCommand) {
    StartReads(core_, *this, absl::MakeConstSpan(indexes).subspan(i, kReadsPerCommand),
               ReadTurn::kAnyTime);
  }
}

// Nothing of it is answered before all of them have been started.
void BatchRun::StartOne(size_t index) {
  const Operation& operation = batch_.operations[index];
  if (operation.kind == OperationKind::kGet) {
    const auto number = static_cast<uint32_t>(index);
    const bool alone = batch_.operations.size() == 1;
    return StartReads(core_, *this, absl::MakeConstSpan(&number, 1),
                      alone && batch_.read_order == ReadOrder::kCommitted ? ReadTurn::kAnyTime
                                                                          : ReadTurn::kOrdered);
  }
  const bool in_sequence = index >= sequential_from_;
  if (!in_sequence && core_.ledger.Charge(operation.ns, MostOf(operation)).ok()) {
    if (IsPlainPut(operation)) return StartPut(core_, *this, index);
    return StartCommit(core_, *this, index, Charged::kYes);
  }
  if (!in_sequence) {
    sequential_from_ = index;
    finished_.assign(batch_.operations.size(), false);
  }
  StartCommit(core_, *this, index, Charged::kNo);
}

void BatchRun::WhenTurn(size_t index, Then then) {
  if (index < sequential_from_ || index <= finished_before_) return std::move(then)();
  turns_.emplace_back(index, std::move(then));
}

bool BatchRun::MayCommit(size_t index) {
  if (commit_turns_.empty()) return true;
  while (committed_before_ < index && commit_turns_[committed_before_].passed) ++committed_before_;
  // One that is tried again has passed before.
  return commit_turns_[index].passed || committed_before_ >= index;
}

void BatchRun::WhenMayCommit(size_t index, Then then) {
  if (MayCommit(index)) return std::move(then)();
  commit_turns_[index].then = std::move(then);
}

// Nobody who is called here ends the run: the one who passes has not ended.
void BatchRun::PassCommit(size_t index) {
  if (commit_turns_.empty()) return;
  commit_turns_[index].passed = true;
  // Whoever is called passes in its turn: one loop for all of them.
  if (std::exchange(passing_, true)) return;
  while (committed_before_ < commit_turns_.size()) {
    CommitTurn& turn = commit_turns_[committed_before_];
    if (turn.passed) {
      ++committed_before_;
      continue;
    }
    if (!turn.then) break;
    std::exchange(turn.then, nullptr)();
    if (!turn.passed) break;
  }
  passing_ = false;
}

void BatchRun::WhenSized(size_t index, size_t bytes, Verdict then) {
  if (sizes_.empty() || !ReturnsValue(batch_.operations[index].kind)) {
    const bool fits = bytes == 0 || used_bytes_ + bytes <= core_.limits.max_response_bytes;
    return std::move(then)(fits ? absl::OkStatus() : ResponseTooLarge(core_.limits));
  }
  Size& size = sizes_[index];
  // Of one that is tried again, what it had is given back.
  const bool again = index < metered_;
  if (again) used_bytes_ -= size.bytes;
  size.known = true;
  size.bytes = bytes;
  size.verdict = std::move(then);
  again ? MeterOne(index, size) : Meter();
}

void BatchRun::Finish(size_t index, OperationResult result) {
  result_.results[index] = std::move(result);
  if (!finished_.empty()) finished_[index] = true;
  --unfinished_;
  if (!sizes_.empty() && !sizes_[index].known) {
    const bool counts = batch_.operations[index].kind == OperationKind::kGet;
    sizes_[index].known = true;
    sizes_[index].bytes = counts ? result_.results[index].value.size() : 0;
  }
  if (unfinished_ == 0) return Complete();
  PassCommit(index);
  const std::weak_ptr<int> alive = alive_;
  if (!sizes_.empty()) {
    Meter();
    if (alive.expired()) return;
  }
  while (finished_before_ < finished_.size() && finished_[finished_before_]) ++finished_before_;
  // Whoever is called may end the run: no more than one can have its turn.
  for (auto turn = turns_.begin(); turn != turns_.end(); ++turn) {
    if (turn->first > finished_before_) continue;
    Then then = std::move(turn->second);
    turns_.erase(turn);
    return std::move(then)();
  }
}

// Whoever is given its verdict may end the run.
void BatchRun::Meter() {
  const std::weak_ptr<int> alive = alive_;
  while (metered_ < sizes_.size()) {
    const size_t index = metered_;
    if (!ReturnsValue(batch_.operations[index].kind)) {
      ++metered_;
      continue;
    }
    Size& size = sizes_[index];
    if (!size.known) return;
    ++metered_;
    MeterOne(index, size);
    if (alive.expired()) return;
  }
}

void BatchRun::MeterOne(size_t index, Size& size) {
  const bool fits = used_bytes_ + size.bytes <= core_.limits.max_response_bytes;
  if (fits) used_bytes_ += size.bytes;
  const absl::Status status = fits ? absl::OkStatus() : ResponseTooLarge(core_.limits);
  if (size.verdict) return std::exchange(size.verdict, nullptr)(status);
  if (fits) return;
  result_.results[index] = {};
  result_.results[index].status = status;
}

void BatchRun::Complete() {
  if (sizes_.empty()) {
    for (size_t i = 0; i < batch_.operations.size(); ++i) MeterGet(i);
  } else {
    Meter();
  }
  if (as_one_) BecomeAtomic();
  FinishAll();
}

void BatchRun::MeterGet(size_t index) {
  if (batch_.operations[index].kind != OperationKind::kGet) return;
  Size size;
  size.bytes = result_.results[index].value.size();
  MeterOne(index, size);
}

// An atomic batch of one operation was run as an independent one.
void BatchRun::BecomeAtomic() {
  const OperationResult& only = result_.results.front();
  if (only.status.ok()) {
    if (IsMutation(batch_.operations.front().kind)) result_.revision = only.revision;
    return;
  }
  const bool whole = absl::IsUnavailable(only.status) || absl::IsUnknown(only.status);
  result_.status = whole ? only.status : base::Annotate(only.status, "operation 0");
  result_.results.clear();
}

void BatchRun::FinishAll() {
  Then ended = std::move(ended_);
  std::move(done_)(result_);
  delete this;
  std::move(ended)();
}

}  // namespace tarn::storage::redis
