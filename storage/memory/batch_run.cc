#include "storage/memory/batch_run.h"

#include <algorithm>
#include <array>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/receipts.h"

namespace tarn::storage::memory {
namespace {

bool ReturnsValue(OperationKind kind) {
  return kind == OperationKind::kGet || kind == OperationKind::kTake;
}

uint64_t ShardBit(const Probe& probe) { return uint64_t{1} << Table::IndexOf(probe.hash); }

Effect WriteOf(absl::string_view value) {
  Effect effect;
  effect.kind = Effect::Kind::kWrite;
  effect.head = value;
  return effect;
}

Usage UsageAfter(const Probe& probe, const Entry* current, const Effect& effect) {
  switch (effect.kind) {
    case Effect::Kind::kNothing:
      return {};
    case Effect::Kind::kWrite:
      return Shard::UsageAfterWrite(probe, current, effect);
    case Effect::Kind::kErase:
      return Shard::UsageAfterErase(*current);
  }
  return {};
}

}  // namespace

void BatchRun::Run() {
  MakeProbes();
  if (batch_.operations.size() == 1 && batch_.receipt == nullptr) return RunOne();
  if (batch_.mode == BatchMode::kAtomic) return RunAtomic();
  RunIndependent();
}

void BatchRun::MakeProbes() {
  probes_.reserve(batch_.operations.size());
  for (const Operation& operation : batch_.operations)
    probes_.emplace_back(operation.ns, operation.key);
}

// By far the most frequent batch.
void BatchRun::RunOne() {
  RunStretch(0, 1,
             IsMutation(batch_.operations[0].kind) ? LockMode::kExclusive : LockMode::kShared);
  if (batch_.mode == BatchMode::kIndependent) return;
  OperationResult& only = result_.results[0];
  if (!only.status.ok()) {
    result_.status = base::Annotate(only.status, "operation 0");
    result_.results.clear();
  } else if (IsMutation(batch_.operations[0].kind)) {
    result_.revision = only.revision;
  }
}

void BatchRun::RunIndependent() {
  const size_t size = batch_.operations.size();
  const LockMode mode = IsReadOnly(batch_.operations) ? LockMode::kShared : LockMode::kExclusive;
  result_.results.reserve(size);
  for (size_t begin = 0; begin < size; begin += kIndependentRun)
    RunStretch(begin, std::min(size, begin + kIndependentRun), mode);
}

void BatchRun::RunStretch(size_t begin, size_t end, LockMode mode) {
  const ShardLocks locks(context_.table, ShardSet(begin, end), mode);
  if (mode == LockMode::kShared) return ReadStretch(begin, end);
  Prefetch(begin, end);
  for (size_t i = begin; i < end; ++i)
    RunSingle(batch_.operations[i], probes_[i],
              context_.table.ShardOf(probes_[i]).Find(probes_[i]));
}

// As nothing changes meanwhile, what was found when the entries were prefetched still stands.
void BatchRun::ReadStretch(size_t begin, size_t end) {
  std::array<Entry*, kIndependentRun> guesses;  // Filled in by the second loop.
  for (size_t i = begin; i < end; ++i)
    context_.table.ShardOf(probes_[i]).PrefetchBucket(probes_[i]);
  for (size_t i = begin; i < end; ++i)
    guesses[i - begin] = context_.table.ShardOf(probes_[i]).PrefetchEntry(probes_[i]);
  for (size_t i = begin; i < end; ++i) {
    const Probe& probe = probes_[i];
    RunSingle(batch_.operations[i], probe,
              context_.table.ShardOf(probe).FindGuessed(probe, guesses[i - begin]));
  }
}

void BatchRun::RunSingle(const Operation& operation, const Probe& probe, Entry* current) {
  const Found found = FoundIn(current);
  OperationResult& result = result_.results.emplace_back();
  if (operation.kind != OperationKind::kGet ||
      operation.precondition.kind != Precondition::Kind::kNone) {
    result = RunMutation(operation, probe, current, found);
    return;
  }
  // By far the most frequent operation.
  result.status = TakeResponseBytes(operation, found);
  if (!result.status.ok() || !found.found) return;
  result.found = true;
  result.revision = found.revision;
  result.deadline = found.deadline;
  result.value = result_.arena.Copy(found.value);
}

OperationResult BatchRun::RunMutation(const Operation& operation, const Probe& probe,
                                      Entry* current, const Found& found) {
  const auto refused = [](absl::Status status) {
    OperationResult result;
    result.status = std::move(status);
    return result;
  };
  const Evaluation evaluation(operation, found, context_.limits);
  if (!evaluation.status.ok()) return refused(evaluation.status);
  if (absl::Status status = TakeResponseBytes(operation, found); !status.ok())
    return refused(std::move(status));
  const Usage usage = UsageAfter(probe, current, evaluation.effect);
  if (absl::Status status = CheckMemory(usage.bytes); !status.ok())
    return refused(std::move(status));
  if (absl::Status status = context_.ledger.Charge(probe.ns, usage); !status.ok())
    return refused(std::move(status));

  const absl::string_view value =
      ReturnsValue(operation.kind) ? result_.arena.Copy(found.value) : absl::string_view();
  const bool changes = evaluation.effect.kind != Effect::Kind::kNothing;
  const Revision revision = changes ? context_.revisions.Next() : 0;
  // Found views the entry, so the result is made before the entry changes.
  OperationResult result = ResultOf(operation, found, evaluation, revision);
  result.value = value;
  if (changes) {
    context_.gauge.Add(
        Apply(probe, current, evaluation.effect, revision, context_.snapshots.needs()));
    CollectSome(probe);
  }
  if (operation.receipt != nullptr)
    WriteReceipt(*operation.receipt, revision, {&operation, 1}, {&result, 1});
  return result;
}

// In the step of the write: the locks are held, and `revision` is the write's, or 0 when it changed
// nothing. The size is part of the system's usage and of the memory, but nothing is refused for it.
void BatchRun::WriteReceipt(const Receipt& receipt, Revision revision,
                            absl::Span<const Operation> operations,
                            absl::Span<const OperationResult> results) {
  const std::string value = EncodeReceipt(
      receipt.header, batch_.mode == BatchMode::kAtomic ? revision : 0, operations, results);
  if (revision == 0) revision = context_.revisions.Next();
  const Probe probe(kSystemNamespace, receipt.key);
  Entry* const current = context_.table.ShardOf(probe).Find(probe);
  const Effect effect = WriteOf(value);
  context_.ledger.Add(kSystemNamespace, Shard::UsageAfterWrite(probe, current, effect));
  context_.gauge.Add(Apply(probe, current, effect, revision, context_.snapshots.needs()));
}

void BatchRun::RunAtomic() {
  const LockMode mode = IsReadOnly(batch_.operations) ? LockMode::kShared : LockMode::kExclusive;
  const ShardLocks locks(context_.table, ShardSet(0, batch_.operations.size()), mode);
  Prefetch(0, batch_.operations.size());
  std::deque<Planned> plan;
  result_.status = PlanAll(&plan);
  if (!result_.status.ok()) return;
  result_.status = Admit(plan);
  if (result_.status.ok()) ApplyAll(plan);
}

absl::Status BatchRun::PlanAll(std::deque<Planned>* plan) {
  for (size_t i = 0; i < batch_.operations.size(); ++i) {
    const Operation& operation = batch_.operations[i];
    Entry* const current = context_.table.ShardOf(probes_[i]).Find(probes_[i]);
    plan->emplace_back(operation, current, FoundIn(current), context_.limits);
    absl::Status status = plan->back().evaluation.status;
    if (status.ok()) status = TakeResponseBytes(operation, plan->back().found);
    if (status.ok()) continue;
    result_.failed_operation = i;
    return base::Annotate(status, absl::StrCat("operation ", i));
  }
  return absl::OkStatus();
}

// Whether there is room for all of it. Charges the ledger when there is.
absl::Status BatchRun::Admit(const std::deque<Planned>& plan) {
  absl::flat_hash_map<NamespaceId, Usage> changes;
  int64_t growth = 0;
  for (size_t i = 0; i < plan.size(); ++i) {
    const Usage usage = UsageAfter(probes_[i], plan[i].current, plan[i].evaluation.effect);
    changes[probes_[i].ns] += usage;
    growth += usage.bytes;
  }
  if (absl::Status status = CheckMemory(growth); !status.ok()) return status;
  for (auto change = changes.begin(); change != changes.end(); ++change) {
    absl::Status status = context_.ledger.Charge(change->first, change->second);
    if (status.ok()) continue;
    for (auto charged = changes.begin(); charged != change; ++charged) {
      context_.ledger.Add(charged->first, {-charged->second.entries, -charged->second.bytes});
    }
    return status;
  }
  return absl::OkStatus();
}

void BatchRun::ApplyAll(std::deque<Planned>& plan) {
  const bool changes = std::any_of(plan.begin(), plan.end(), [](const Planned& planned) {
    return planned.evaluation.effect.kind != Effect::Kind::kNothing;
  });
  result_.revision = changes ? context_.revisions.Next() : 0;
  const ImageNeeds needs = context_.snapshots.needs();
  result_.results.reserve(plan.size());
  // Values first: a get and a mutation may name the same key, and the get sees the state before.
  for (size_t i = 0; i < plan.size(); ++i) {
    const Operation& operation = batch_.operations[i];
    result_.results.push_back(
        ResultOf(operation, plan[i].found, plan[i].evaluation, result_.revision));
    if (ReturnsValue(operation.kind))
      result_.results.back().value = result_.arena.Copy(plan[i].found.value);
  }
  for (size_t i = 0; i < plan.size(); ++i) {
    context_.gauge.Add(
        Apply(probes_[i], plan[i].current, plan[i].evaluation.effect, result_.revision, needs));
  }
  if (batch_.receipt != nullptr)
    WriteReceipt(*batch_.receipt, result_.revision, batch_.operations, result_.results);
  // Only now: collecting may remove a tombstone that the plan still pointed to.
  if (!changes) return;
  for (const Probe& probe : probes_) CollectSome(probe);
}

ShardChange BatchRun::Apply(const Probe& probe, Entry* current, const Effect& effect,
                            Revision revision, const ImageNeeds& needs) {
  if (effect.kind == Effect::Kind::kNothing) return {};
  Shard& shard = context_.table.ShardOf(probe);
  if (effect.kind == Effect::Kind::kErase) return shard.Erase(probe, current, revision, needs);
  return shard.Write(probe, current, effect, revision, needs);
}

// A writer pays for more than the one image that it may have made, so that images do not pile up
// behind closed snapshots.
void BatchRun::CollectSome(const Probe& probe) {
  Shard& shard = context_.table.ShardOf(probe);
  if (shard.has_images()) context_.gauge.Add(shard.Collect(context_.snapshots.oldest(), 2));
}

void BatchRun::Prefetch(size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i)
    context_.table.ShardOf(probes_[i]).PrefetchBucket(probes_[i]);
  for (size_t i = begin; i < end; ++i) context_.table.ShardOf(probes_[i]).PrefetchEntry(probes_[i]);
}

uint64_t BatchRun::ShardSet(size_t begin, size_t end) const {
  uint64_t set = 0;
  for (size_t i = begin; i < end; ++i) {
    set |= ShardBit(probes_[i]);
    const Receipt* const receipt = batch_.operations[i].receipt;
    if (receipt != nullptr) set |= ShardBit({kSystemNamespace, receipt->key});
  }
  if (batch_.receipt != nullptr) set |= ShardBit({kSystemNamespace, batch_.receipt->key});
  return set;
}

Found BatchRun::FoundIn(const Entry* entry) {
  if (entry == nullptr || entry->is_tombstone()) return {};
  const base::UnixMs deadline = entry->deadline();
  if (deadline != base::kNever && base::HasExpired(deadline, Now())) return {};
  return {true, entry->revision(), deadline, entry->value()};
}

base::UnixMs BatchRun::Now() {
  if (now_ == 0) now_ = context_.clock.Now();
  return now_;
}

// Counts the operation's part of the answer; an error when the answer would become too large.
absl::Status BatchRun::TakeResponseBytes(const Operation& operation, const Found& found) {
  const size_t bytes =
      kResultOverheadBytes + (ReturnsValue(operation.kind) ? found.value.size() : 0);
  if (response_bytes_ + bytes > context_.limits.max_response_bytes) {
    return base::MakeError(
        absl::StatusCode::kInvalidArgument, base::Reason::kResponseTooLarge,
        absl::StrCat("the answer would exceed ", context_.limits.max_response_bytes,
                     " bytes; ask for less at a time"));
  }
  response_bytes_ += bytes;
  return absl::OkStatus();
}

absl::Status BatchRun::CheckMemory(int64_t growth) const {
  if (growth <= 0 || context_.memory_limit_bytes == 0) return absl::OkStatus();
  const int64_t used = context_.gauge.state_bytes.load(std::memory_order_relaxed);
  if (used + growth <= context_.memory_limit_bytes) return absl::OkStatus();
  return base::MakeError(
      absl::StatusCode::kResourceExhausted, base::Reason::kMemoryLimit,
      absl::StrCat("the memory limit of ", context_.memory_limit_bytes, " bytes is reached"));
}

}  // namespace tarn::storage::memory
