#include "storage/rocksdb/commit_group.h"

#include <cstring>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "storage/receipts.h"

namespace tarn::storage::rocks {
namespace {

Usage UsageOf(const Slot& slot, const Row& row) {
  if (!row.exists) return {};
  const size_t key_bytes = slot.entry_key.size() - kNamespaceBytes;
  return {1, static_cast<int64_t>(key_bytes + row.entry.value.size())};
}

Usage Difference(const Usage& after, const Usage& before) {
  return {after.entries - before.entries, after.bytes - before.bytes};
}

bool Grows(const Usage& change) { return change.entries > 0 || change.bytes > 0; }

bool Changes(const Evaluation& evaluation) {
  return evaluation.effect.kind != Effect::Kind::kNothing;
}

}  // namespace

Submission::Submission(const Batch& run, Completion completion)
    : batch(run), done(std::move(completion)) {
  for (const Operation& operation : batch.operations) {
    bytes += operation.key.size() + operation.value.size();
  }
}

void CommitGroup::Judge(const Database& database, const Submissions& submissions,
                        const Conditions& conditions) {
  conditions_ = conditions;
  for (const auto& submission : submissions) {
    for (const Operation& operation : submission->batch.operations) {
      slots_.push_back(overlay_.Add(operation));
    }
  }
  overlay_.Load(database);
  absl::Span<const size_t> rest = slots_;
  for (const auto& submission : submissions) {
    const size_t count = submission->batch.operations.size();
    if (submission->batch.mode == BatchMode::kAtomic) {
      JudgeAtomic(*submission, rest.first(count));
    } else {
      JudgeIndependent(*submission, rest.first(count));
    }
    rest.remove_prefix(count);
  }
}

absl::Status CommitGroup::Admissible(const Operation& operation, const Slot& slot) const {
  if (!conditions_.refusal.ok() && IsMutation(operation.kind)) return conditions_.refusal;
  return slot.status;
}

absl::Status CommitGroup::Admit(NamespaceId ns, const Usage& change) {
  if (Grows(change) && conditions_.room != Room::kEnough) return DiskFull();
  absl::Status status = ledger_.Charge(ns, change);
  if (status.ok()) charged_[ns] += change;
  return status;
}

Row CommitGroup::After(const Evaluation& evaluation, Revision revision) {
  const Effect& effect = evaluation.effect;
  if (effect.kind == Effect::Kind::kErase) return {};
  Row row{true, {revision, effect.deadline, effect.head}};
  const bool stays = effect.tail.empty() && effect.head.data() != evaluation.digits;
  if (stays) return row;
  char* const bytes = overlay_.arena().Allocate(effect.value_size());
  if (!effect.head.empty()) std::memcpy(bytes, effect.head.data(), effect.head.size());
  if (!effect.tail.empty()) {
    std::memcpy(bytes + effect.head.size(), effect.tail.data(), effect.tail.size());
  }
  row.entry.value = {bytes, effect.value_size()};
  return row;
}

void CommitGroup::Apply(Slot& slot, const Row& after, Revision revision) {
  slot.now = after;
  slot.changed = true;
  revision_ = revision;
}

// Nothing is refused for a receipt's size.
void CommitGroup::AddReceipt(Submission& submission, const Receipt& receipt, Revision written,
                             absl::Span<const Operation> operations,
                             absl::Span<const OperationResult> results) {
  const bool atomic = submission.batch.mode == BatchMode::kAtomic;
  const absl::string_view value = overlay_.arena().Copy(
      EncodeReceipt(receipt.header, atomic ? written : 0, operations, results));
  const Usage usage{1, static_cast<int64_t>(receipt.key.size() + value.size())};
  ledger_.Add(kSystemNamespace, usage);
  charged_[kSystemNamespace] += usage;
  revision_ = written == 0 ? revisions_.Next() : written;
  overlay_.AddNew(kSystemNamespace, receipt.key, {revision_, base::kNever, value});
  submission.changes = true;
}

void CommitGroup::JudgeIndependent(Submission& submission, absl::Span<const size_t> slots) {
  const absl::Span<const Operation> operations = submission.batch.operations;
  ResponseMeter meter(limits_, operations.size());
  submission.result.results.reserve(operations.size());
  for (size_t i = 0; i < operations.size(); ++i) {
    submission.result.results.push_back(
        JudgeOne(operations[i], overlay_.slot(slots[i]), meter, submission));
    const OperationResult& result = submission.result.results.back();
    if (operations[i].receipt == nullptr || !result.status.ok()) continue;
    AddReceipt(submission, *operations[i].receipt, result.revision, {&operations[i], 1},
               {&result, 1});
  }
}

OperationResult CommitGroup::JudgeOne(const Operation& operation, Slot& slot, ResponseMeter& meter,
                                      Submission& submission) {
  absl::Status status = Admissible(operation, slot);
  if (!status.ok()) return NotDone(std::move(status));
  const Found entry = LiveEntry(slot.now, conditions_.now);
  const Evaluation evaluation(operation, entry, limits_);
  if (!evaluation.status.ok()) return NotDone(evaluation.status);
  const absl::string_view value = ReturnedValue(operation, entry);
  status = meter.Add(value.size());
  if (!status.ok()) return NotDone(std::move(status));
  Revision revision = 0;
  if (Changes(evaluation)) {
    Row after = After(evaluation, 0);
    status = Admit(operation.ns, Difference(UsageOf(slot, after), UsageOf(slot, slot.now)));
    if (!status.ok()) return NotDone(std::move(status));
    revision = revisions_.Next();
    after.entry.revision = revision;
    Apply(slot, after, revision);
    submission.changes = true;
  }
  OperationResult result = ResultOf(operation, entry, evaluation, revision);
  result.value = submission.result.arena.Copy(value);
  return result;
}

void CommitGroup::JudgeAtomic(Submission& submission, absl::Span<const size_t> slots) {
  plan_.clear();
  Failure failure = Plan(submission, slots);
  if (failure.status.ok()) failure = AdmitPlan(submission.batch);
  if (failure.status.ok()) return ApplyPlan(submission);
  Refuse(submission.result, std::move(failure.status), failure.operation);
}

// Judges every operation by the state before the batch. The revision may stay unused.
CommitGroup::Failure CommitGroup::Plan(Submission& submission, absl::Span<const size_t> slots) {
  const absl::Span<const Operation> operations = submission.batch.operations;
  BatchResult& answer = submission.result;
  ResponseMeter meter(limits_, operations.size());
  answer.results.reserve(operations.size());
  for (size_t i = 0; i < operations.size(); ++i) {
    const Operation& operation = operations[i];
    Slot& slot = overlay_.slot(slots[i]);
    if (absl::Status status = Admissible(operation, slot); !status.ok()) return {status, i};
    const Found entry = LiveEntry(slot.now, conditions_.now);
    const Evaluation evaluation(operation, entry, limits_);
    if (!evaluation.status.ok()) return {evaluation.status, i};
    const absl::string_view value = ReturnedValue(operation, entry);
    if (absl::Status status = meter.Add(value.size()); !status.ok()) return {status, i};
    if (Changes(evaluation)) {
      if (answer.revision == 0) answer.revision = revisions_.Next();
      plan_.push_back({i, &slot, After(evaluation, answer.revision)});
    }
    answer.results.push_back(ResultOf(operation, entry, evaluation, answer.revision));
    answer.results.back().value = answer.arena.Copy(value);
  }
  return {};
}

// What one operation frees, another of the batch may take: only the sum counts.
CommitGroup::Failure CommitGroup::AdmitPlan(const Batch& batch) {
  struct Total {
    NamespaceId ns;
    Usage change;
    size_t operation;  // The first that grows it.
  };
  absl::InlinedVector<Total, 2> totals;
  for (const Planned& planned : plan_) {
    const NamespaceId ns = batch.operations[planned.operation].ns;
    const Usage change = Difference(UsageOf(*planned.slot, planned.after),
                                    UsageOf(*planned.slot, planned.slot->now));
    auto total = totals.begin();
    while (total != totals.end() && total->ns != ns) ++total;
    if (total == totals.end()) total = totals.insert(total, {ns, {}, planned.operation});
    if (Grows(change) && !Grows(total->change)) total->operation = planned.operation;
    total->change += change;
  }
  for (size_t i = 0; i < totals.size(); ++i) {
    absl::Status status = Admit(totals[i].ns, totals[i].change);
    if (status.ok()) continue;
    const Failure failure{std::move(status), totals[i].operation};
    while (i > 0) {
      --i;
      const Usage back = Difference({}, totals[i].change);
      ledger_.Add(totals[i].ns, back);
      charged_[totals[i].ns] += back;
    }
    return failure;
  }
  return {};
}

void CommitGroup::ApplyPlan(Submission& submission) {
  for (const Planned& planned : plan_) {
    Apply(*planned.slot, planned.after, submission.result.revision);
  }
  submission.changes = !plan_.empty();
  const Receipt* const receipt = submission.batch.receipt;
  if (receipt == nullptr) return;
  AddReceipt(submission, *receipt, submission.result.revision, submission.batch.operations,
             submission.result.results);
}

void CommitGroup::AddChanges(const Database& database, rocksdb::WriteBatch& batch) {
  overlay_.AddChanges(database, batch);
  database.PutCommit(revision_, batch);
  for (const auto& [ns, change] : charged_) {
    if (change.entries == 0 && change.bytes == 0) continue;
    // Nobody else charges: the ledger is what the database is going to hold.
    database.PutUsage(ns, ledger_.Get(ns), batch);
  }
}

void CommitGroup::Settle(const Database& database) {
  for (const auto& [ns, change] : charged_) {
    const absl::StatusOr<Usage> held = database.ReadUsageOf(ns);
    ledger_.Add(ns, held.ok() ? Difference(*held, ledger_.Get(ns)) : Difference({}, change));
  }
}

void CommitGroup::Clear() {
  revision_ = 0;
  overlay_.Clear();
  slots_.clear();
  charged_.clear();
}

}  // namespace tarn::storage::rocks
