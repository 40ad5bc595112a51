#include "tests/model/model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/status.h"

namespace tarn::testing {
namespace {

using storage::OperationKind;
using storage::Quota;
using storage::Usage;

constexpr char kQuotaExceeded[] = "RESOURCE_EXHAUSTED QUOTA_EXCEEDED";
constexpr char kResponseTooLarge[] = "INVALID_ARGUMENT RESPONSE_TOO_LARGE";

template <typename... Parts>
absl::Status Mismatch(const Parts&... parts) {
  return absl::FailedPreconditionError(absl::StrCat(parts...));
}

template <typename T>
absl::Status Compare(const char* what, const T& expected, const T& actual) {
  if (expected == actual) return absl::OkStatus();
  return Mismatch(what, " is ", actual, ", must be ", expected);
}

// All fields that mean something for the operation, except the revision.
absl::Status CompareAnswers(OperationKind kind, const Answer& expected, const Answer& actual) {
  TARN_RETURN_IF_ERROR(Compare("outcome", Why(expected), Why(actual)));
  if (!expected.status.ok()) return absl::OkStatus();
  TARN_RETURN_IF_ERROR(Compare("found", expected.found, actual.found));
  TARN_RETURN_IF_ERROR(Compare("value", Show(expected.value), Show(actual.value)));
  if (expected.value != actual.value) return Mismatch("the values differ behind what is shown");
  if (kind == OperationKind::kAdd)
    TARN_RETURN_IF_ERROR(Compare("number", expected.number, actual.number));
  if (kind == OperationKind::kAppend)
    TARN_RETURN_IF_ERROR(Compare("size", expected.size, actual.size));
  const bool removes = kind == OperationKind::kDelete || kind == OperationKind::kTake;
  return removes ? absl::OkStatus() : Compare("deadline", expected.deadline, actual.deadline);
}

absl::Status Located(const absl::Status& status, const std::vector<Op>& ops, size_t index) {
  if (status.ok()) return status;
  return Mismatch("operation ", index, ", ", Show(ops[index]), ": ", status.message());
}

bool Exceeds(const Quota& quota, const Usage& before, const Usage& change) {
  const auto grows_beyond = [](int64_t held, int64_t growth, int64_t limit) {
    return limit != 0 && growth > 0 && held + growth > limit;
  };
  return grows_beyond(before.entries, change.entries, quota.max_entries) ||
         grows_beyond(before.bytes, change.bytes, quota.max_bytes);
}

}  // namespace

const Entry* Model::Live(const FullKey& key, UnixMs now) const {
  const Entry* entry = history_.Newest(key);
  return entry != nullptr && IsLive(*entry, now) ? entry : nullptr;
}

absl::Status Model::CheckBatch(BatchMode mode, const std::vector<Op>& ops,
                               const BatchAnswer& answer, UnixMs now, Company company) {
  const absl::Status status = mode == BatchMode::kAtomic
                                  ? CheckAtomic(ops, answer, now, company)
                                  : CheckIndependent(ops, answer, now, company);
  used_.erase(used_.begin(), used_.upper_bound(floor_));
  return status;
}

absl::Status Model::CheckNewRevision(Revision revision) {
  if (revision <= floor_)
    return Mismatch("revision ", revision, " is not above ", floor_, ", acknowledged before");
  if (!used_.insert(revision).second) return Mismatch("revision ", revision, " is used twice");
  const storage::Incarnation incarnation = storage::IncarnationOf(revision);
  if (incarnation != incarnation_)
    return Mismatch("revision ", revision, " is of incarnation ", incarnation);
  highest_ = std::max(highest_, revision);
  return absl::OkStatus();
}

absl::Status Model::CheckOrder(const FullKey& key, Revision revision) const {
  const Revision before = history_.LastChange(key);
  if (before < revision) return absl::OkStatus();
  return Mismatch("revision ", revision, " of ", Show(key.second), " is not above its last, ",
                  before);
}

void Model::Apply(const Planned& planned, Revision revision) {
  if (planned.verdict.change == Verdict::Change::kErase) {
    history_.Erase(planned.key, revision);
  } else {
    history_.Write(planned.key, planned.verdict.after);
  }
  maybe_swept_.erase(planned.key);
}

absl::Status Model::CheckAtomic(const std::vector<Op>& ops, const BatchAnswer& answer, UnixMs now,
                                Company company) {
  std::vector<Planned> planned;
  bool changes = false;
  for (const Op& op : ops) {
    const FullKey key{op.ns, op.key};
    planned.push_back({key, Judge(op.View(), Live(key, now), answer.revision, limits_)});
    changes |= planned.back().verdict.change != Verdict::Change::kNothing;
  }
  if (!answer.status.ok()) return CheckRefusal(planned, answer, company);
  if (answer.results.size() != ops.size())
    return Mismatch(answer.results.size(), " results for ", ops.size());
  size_t response = 0;
  for (size_t i = 0; i < ops.size(); ++i) {
    const Answer& expected = planned[i].verdict.answer;
    TARN_RETURN_IF_ERROR(Located(CompareAnswers(ops[i].kind, expected, answer.results[i]), ops, i));
    TARN_RETURN_IF_ERROR(
        Located(Compare("revision", expected.revision, answer.results[i].revision), ops, i));
    response += storage::kResultOverheadBytes + expected.value.size();
  }
  if (response > limits_.max_response_bytes)
    return Mismatch("an answer of ", response, " bytes was given");
  if (MustExceedQuota(planned, company)) return Mismatch("growth beyond the quota was allowed");
  if (!changes) return Compare("the batch's revision", Revision{0}, answer.revision);
  TARN_RETURN_IF_ERROR(CheckNewRevision(answer.revision));
  for (const Planned& one : planned) {
    if (one.verdict.change == Verdict::Change::kNothing) continue;
    TARN_RETURN_IF_ERROR(CheckOrder(one.key, answer.revision));
    Apply(one, answer.revision);
  }
  return absl::OkStatus();
}

// The engine may give any reason that holds.
absl::Status Model::CheckRefusal(const std::vector<Planned>& planned, const BatchAnswer& answer,
                                 Company company) const {
  const std::string why = Why(answer);
  if (!answer.results.empty() || answer.revision != 0)
    return Mismatch("results beside the error ", why);
  if (why == kQuotaExceeded && MayExceedQuota(planned, company)) return absl::OkStatus();
  size_t response = 0;
  for (const Planned& one : planned)
    response += storage::kResultOverheadBytes + one.verdict.answer.value.size();
  if (why == kResponseTooLarge && response > limits_.max_response_bytes) return absl::OkStatus();
  if (answer.failed_operation >= planned.size())
    return Mismatch("operation ", answer.failed_operation, " failed: ", why);
  const Answer& expected = planned[answer.failed_operation].verdict.answer;
  if (!expected.status.ok() && Why(expected) == why) return absl::OkStatus();
  return Mismatch("refused with ", why, " for operation ", answer.failed_operation,
                  ", whose outcome must be ", Why(expected));
}

absl::Status Model::CheckIndependent(const std::vector<Op>& ops, const BatchAnswer& answer,
                                     UnixMs now, Company company) {
  if (!answer.status.ok()) return Mismatch("the batch was refused: ", Why(answer));
  if (answer.results.size() != ops.size())
    return Mismatch(answer.results.size(), " results for ", ops.size());
  TARN_RETURN_IF_ERROR(Compare("the batch's revision", Revision{0}, answer.revision));
  size_t values = 0;  // Bytes of value that the results before this one carry.
  Revision last = 0;
  for (size_t i = 0; i < ops.size(); ++i) {
    const Answer& actual = answer.results[i];
    const FullKey key{ops[i].ns, ops[i].key};
    const Planned planned{key, Judge(ops[i].View(), Live(key, now), actual.revision, limits_)};
    const Answer& expected = planned.verdict.answer;
    // Whether an engine counts the results still to come is its own affair.
    const size_t least = values + expected.value.size() + storage::kResultOverheadBytes;
    const size_t most = values + expected.value.size() + ops.size() * storage::kResultOverheadBytes;
    if (expected.status.ok() && Why(actual) == kResponseTooLarge &&
        most > limits_.max_response_bytes)
      continue;
    if (expected.status.ok() && Why(actual) == kQuotaExceeded && MayExceedQuota({planned}, company))
      continue;
    TARN_RETURN_IF_ERROR(Located(CompareAnswers(ops[i].kind, expected, actual), ops, i));
    if (!expected.status.ok()) continue;
    if (least > limits_.max_response_bytes)
      return Located(Mismatch("its answer is too large"), ops, i);
    if (MustExceedQuota({planned}, company))
      return Located(Mismatch("it grew beyond the quota"), ops, i);
    TARN_RETURN_IF_ERROR(Located(Compare("revision", expected.revision, actual.revision), ops, i));
    values += expected.value.size();
    if (planned.verdict.change == Verdict::Change::kNothing) continue;
    TARN_RETURN_IF_ERROR(Located(CheckNewRevision(actual.revision), ops, i));
    if (actual.revision < last)
      return Located(Mismatch("its revision is below an earlier one's"), ops, i);
    last = actual.revision;
    TARN_RETURN_IF_ERROR(CheckOrder(key, actual.revision));
    Apply(planned, actual.revision);
  }
  return absl::OkStatus();
}

Model::UsageRange Model::UsageOf(NamespaceId ns) const {
  UsageRange range;
  history_.ForEach(~Revision{0}, [&](const FullKey& key, const Entry& entry) {
    if (key.first != ns) return;
    const Usage usage = testing::UsageOf(key, entry);
    range.most += usage;
    if (!maybe_swept_.contains(key)) range.least += usage;
  });
  return range;
}

std::map<NamespaceId, Model::UsageRange> Model::Growth(const std::vector<Planned>& planned) const {
  std::map<NamespaceId, UsageRange> growth;
  for (const Planned& one : planned) {
    if (one.verdict.change == Verdict::Change::kNothing) continue;
    const Entry* before = history_.Newest(one.key);
    const Usage had = before == nullptr ? Usage{} : testing::UsageOf(one.key, *before);
    const bool writes = one.verdict.change == Verdict::Change::kWrite;
    const Usage has = writes ? testing::UsageOf(one.key, one.verdict.after) : Usage{};
    UsageRange& range = growth[one.key.first];
    range.least += {has.entries - had.entries, has.bytes - had.bytes};
    const bool swept = maybe_swept_.contains(one.key);
    range.most += swept ? has : Usage{has.entries - had.entries, has.bytes - had.bytes};
  }
  return growth;
}

bool Model::MayExceedQuota(const std::vector<Planned>& planned, Company company) const {
  for (const auto& [ns, growth] : Growth(planned)) {
    const auto quota = quotas_.find(ns);
    if (quota == quotas_.end()) continue;
    const bool grows = growth.most.entries > 0 || growth.most.bytes > 0;
    if (company == Company::kAmongOthers && grows) return true;
    if (Exceeds(quota->second, UsageOf(ns).most, growth.most)) return true;
  }
  return false;
}

bool Model::MustExceedQuota(const std::vector<Planned>& planned, Company company) const {
  if (company == Company::kAmongOthers) return false;
  for (const auto& [ns, growth] : Growth(planned)) {
    const auto quota = quotas_.find(ns);
    if (quota == quotas_.end()) continue;
    if (Exceeds(quota->second, UsageOf(ns).least, growth.least)) return true;
  }
  return false;
}

absl::Status Model::CheckSweep(const storage::SweepResult& result, size_t budget, UnixMs now,
                               const std::vector<ViewBounds>& views) {
  std::vector<FullKey> certain;
  std::vector<FullKey> possible;
  history_.ForEach(~Revision{0}, [&](const FullKey& key, const Entry& entry) {
    if (IsLive(entry, now)) return;
    const bool shown = std::any_of(views.begin(), views.end(), [&entry](const ViewBounds& view) {
      return view.revision >= entry.revision && IsLive(entry, view.as_of);
    });
    if (shown) return;
    (maybe_swept_.contains(key) ? possible : certain).push_back(key);
  });
  if (result.removed > budget)
    return Mismatch(result.removed, " were swept, the budget is ", budget);
  if (result.removed > certain.size() + possible.size()) {
    return Mismatch(result.removed, " were swept, at most ", certain.size() + possible.size(),
                    " may be");
  }
  maybe_swept_.insert(certain.begin(), certain.end());
  if (result.more || !views.empty()) return absl::OkStatus();
  if (result.removed < certain.size()) {
    return Mismatch("no more to sweep after ", result.removed, ", but ", certain.size(),
                    " had expired");
  }
  for (const FullKey& key : maybe_swept_) history_.Sweep(key);
  maybe_swept_.clear();
  return absl::OkStatus();
}

absl::Status Model::CheckUsage(const storage::UsageLedger& ledger) const {
  for (NamespaceId ns = 0; ns < 8; ++ns) {
    const UsageRange range = UsageOf(ns);
    const Usage usage = ledger.Get(ns);
    const bool entries =
        range.least.entries <= usage.entries && usage.entries <= range.most.entries;
    const bool bytes = range.least.bytes <= usage.bytes && usage.bytes <= range.most.bytes;
    if (entries && bytes) continue;
    return Mismatch("the ledger of namespace ", ns, " counts ", usage.entries, " entries and ",
                    usage.bytes, " bytes, must be ", range.least.entries, " to ",
                    range.most.entries, " and ", range.least.bytes, " to ", range.most.bytes);
  }
  return absl::OkStatus();
}

void Model::Replace(History history, storage::Incarnation incarnation) {
  history_ = std::move(history);
  maybe_swept_.clear();
  StartIncarnation(incarnation);
}

void Model::StartIncarnation(storage::Incarnation incarnation) {
  incarnation_ = incarnation;
  highest_ = std::max(highest_, storage::FirstRevision(incarnation));
}

}  // namespace tarn::testing
