#include "storage/redis/commit_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/coding.h"
#include "storage/base/error.h"
#include "storage/receipts.h"
#include "storage/redis/command_text.h"
#include "storage/redis/entry_view.h"
#include "storage/redis/record.h"
#include "storage/redis/scripts.h"

namespace tarn::storage::redis {
namespace {

constexpr size_t kWordsPerChange = 10;  // Three keys, seven arguments.

Want WantOf(OperationKind kind) {
  switch (kind) {
    case OperationKind::kGet:
    case OperationKind::kTake:
      return Want::kValue;
    case OperationKind::kAdd:
      return Want::kSome;
    default:
      return Want::kHeader;
  }
}

// The one that reads more.
Want More(Want left, Want right) {
  const auto rank = [](Want want) {
    switch (want) {
      case Want::kHeader:
        return 0;
      case Want::kSome:
        return 1;
      case Want::kReplaced:
        return 2;
      case Want::kValue:
        return 3;
    }
    return 0;
  };
  return rank(left) < rank(right) ? right : left;
}

bool ReturnsValue(OperationKind kind) {
  return kind == OperationKind::kGet || kind == OperationKind::kTake;
}

std::string HeaderOf(Revision revision, base::UnixMs deadline) {
  return EncodeRecord({revision, deadline, ""});
}

}  // namespace

absl::string_view PlannedEntry::old_header() const {
  return absl::string_view(record).substr(0, kRecordHeaderBytes);
}

CommitPlan::CommitPlan(const Core& core, absl::Span<const Operation> operations,
                       const Receipt* receipt)
    : core_(core),
      operations_(operations),
      receipt_(receipt),
      reads_replaced_(core.observer->WantsReplaced()) {
  for (const Operation& operation : operations) {
    PlannedEntry& entry = EntryOf(operation);
    entry.want = More(entry.want, WantOf(operation.kind));
    if (reads_replaced_ && IsMutation(operation.kind))
      entry.want = More(entry.want, Want::kReplaced);
  }
}

PlannedEntry& CommitPlan::EntryOf(const Operation& operation) {
  PlannedEntry*& entry = by_key_[{operation.ns, operation.key}];
  if (entry != nullptr) return *entry;
  entry = &entries_.emplace_back();
  entry->ns = operation.ns;
  entry->key = operation.key;
  entry->at = core_.placements.Locate(operation.ns, operation.key);
  entry->name =
      core_.layout.Entry(entry->at.partition, {core_.generation, operation.ns, operation.key});
  return *entry;
}

absl::StatusOr<Found> CommitPlan::FoundOf(const PlannedEntry& entry, base::UnixMs now) {
  if (entry.length == 0) return Found{};
  absl::StatusOr<Found> found = FoundIn(absl::string_view(entry.record), now);
  if (!found.ok() || !found->found || entry.read_whole()) return found;
  const size_t size = entry.length - kRecordHeaderBytes;
  if (nothing_.size() < size) nothing_.resize(size);
  found->value = absl::string_view(nothing_).substr(0, size);
  return found;
}

absl::Status CommitPlan::Evaluate(base::UnixMs now) {
  // Values of which only the size matters are views into this: it must not move in between.
  size_t longest = 0;
  for (const PlannedEntry& entry : entries_) longest = std::max<size_t>(longest, entry.length);
  if (nothing_.size() < longest) nothing_.resize(longest);
  results_.clear();
  effective_.assign(operations_.size(), false);
  usage_.clear();
  changes_ = false;
  response_bytes_ = operations_.size() * kResultOverheadBytes;
  for (PlannedEntry& entry : entries_) entry.change = Change::kNone;
  for (size_t i = 0; i < operations_.size(); ++i) {
    failed_ = i;
    if (absl::Status status = EvaluateOne(i, now); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CommitPlan::EvaluateOne(size_t index, base::UnixMs now) {
  const Operation& operation = operations_[index];
  PlannedEntry& entry = EntryOf(operation);
  const absl::StatusOr<Found> found = FoundOf(entry, now);
  if (!found.ok()) return found.status();
  const Evaluation evaluation(operation, *found, core_.limits);
  if (!evaluation.status.ok()) return evaluation.status;
  OperationResult result = ResultOf(operation, *found, evaluation, 0);
  if (ReturnsValue(operation.kind)) {
    result.value = found->value;
    response_bytes_ += found->value.size();
  }
  results_.push_back(std::move(result));
  if (evaluation.effect.kind == Effect::Kind::kNothing) return absl::OkStatus();
  effective_[index] = true;
  changes_ = true;
  Adopt(operation, evaluation.effect, found->found, entry);
  return absl::OkStatus();
}

void CommitPlan::Adopt(const Operation& operation, const Effect& effect, bool found,
                       PlannedEntry& entry) {
  entry.deadline = effect.deadline;
  entry.value_bytes = effect.value_size();
  Usage& usage = usage_[entry.ns];
  const bool existed = entry.length > 0;
  const auto key_bytes = static_cast<int64_t>(entry.key.size());
  const int64_t old_bytes =
      existed ? key_bytes + static_cast<int64_t>(entry.length - kRecordHeaderBytes) : 0;
  if (effect.kind == Effect::Kind::kErase) {
    entry.change = Change::kDelete;
    usage += {-1, -old_bytes};
    return;
  }
  usage += {existed ? 0 : 1, key_bytes + static_cast<int64_t>(effect.value_size()) - old_bytes};
  if (found && operation.kind == OperationKind::kTouch) {
    entry.change = Change::kTouch;
  } else if (found && operation.kind == OperationKind::kAppend) {
    entry.change = Change::kAppend;
    entry.value = std::string(effect.tail);
  } else {
    entry.change = Change::kSet;
    entry.value = absl::StrCat(effect.head, effect.tail);
  }
}

void CommitPlan::SetRevision(Revision revision, BatchMode mode) {
  revision_ = revision;
  for (size_t i = 0; i < results_.size(); ++i) {
    if (effective_[i]) results_[i].revision = revision;
  }
  if (receipt_ == nullptr) return;
  const bool commit = mode == BatchMode::kAtomic && changes_;
  receipt_value_ = EncodeReceipt(receipt_->header, commit ? revision : 0, operations_, results_);
}

std::string CommitPlan::Command(base::UnixMs now) const {
  std::vector<const PlannedEntry*> changed;
  for (const PlannedEntry& entry : entries_) {
    if (entry.change != Change::kNone) changed.push_back(&entry);
  }
  const auto deleted = std::find_if(
      changed.begin(), changed.end(),
      [](const PlannedEntry* const entry) { return entry->change == Change::kDelete; });
  const size_t marks = deleted == changed.end() ? 0 : 1;
  const size_t count = changed.size() + (receipt_ == nullptr ? 0 : 1);
  CommandText text(3 + count * kWordsPerChange + 2 * marks);
  text.Add("EVALSHA").Add(CommitScript().sha1).Add(absl::StrCat(3 * count + marks));
  const auto add_keys = [&](Partition partition, absl::string_view name) {
    text.Add(name)
        .Add(core_.layout.Index(partition, core_.generation))
        .Add(core_.layout.Deadlines(partition, core_.generation));
  };
  Location receipt_at;
  for (const PlannedEntry* const entry : changed) add_keys(entry->at.partition, entry->name);
  if (receipt_ != nullptr) {
    receipt_at = core_.placements.Locate(kSystemNamespace, receipt_->key);
    add_keys(receipt_at.partition,
             core_.layout.Entry(receipt_at.partition,
                                {core_.generation, kSystemNamespace, receipt_->key}));
  }
  if (marks > 0) text.Add(core_.layout.Removals((*deleted)->at.partition, core_.generation));
  for (const PlannedEntry* const entry : changed) {
    const bool erased = entry->change == Change::kDelete;
    const std::string header = HeaderOf(revision_, entry->deadline);
    const auto kind = static_cast<char>(entry->change);
    text.Add(entry->old_header()).Add(absl::string_view(&kind, 1));
    if (entry->change == Change::kSet) {
      text.Add(header, entry->value);
    } else {
      text.Add(entry->value);
    }
    text.Add(header).Add(erased ? "" : GarbagePx(entry->deadline, now));
    text.Add(EncodeIndexMember({entry->ns, entry->key}));
    const bool dated = erased || entry->deadline != base::kNever;
    text.Add(dated ? absl::StrCat(entry->deadline) : "");
  }
  if (receipt_ != nullptr) {
    text.Add("").Add("S").Add(HeaderOf(revision_, base::kNever), receipt_value_).Add("").Add("");
    text.Add(EncodeIndexMember({kSystemNamespace, receipt_->key})).Add("");
  }
  if (marks > 0) {
    std::string revision;
    base::AppendFixed64(&revision, revision_);
    text.Add(revision);
  }
  return std::move(text).Take();
}

CommitPlan::Mark CommitPlan::FindMark() const {
  // One that gets a new header says it best.
  for (const PlannedEntry& entry : entries_) {
    if (entry.change == Change::kNone || entry.change == Change::kDelete) continue;
    return {entry.name, std::string(entry.old_header()), HeaderOf(revision_, entry.deadline)};
  }
  if (receipt_ != nullptr) {
    const Location at = core_.placements.Locate(kSystemNamespace, receipt_->key);
    return {core_.layout.Entry(at.partition, {core_.generation, kSystemNamespace, receipt_->key}),
            "", HeaderOf(revision_, base::kNever)};
  }
  for (const PlannedEntry& entry : entries_) {
    if (entry.change == Change::kDelete) return {entry.name, std::string(entry.old_header()), ""};
  }
  return {};
}

}  // namespace tarn::storage::redis
