#include "tarn/testing/fake_store.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/src/testing/fake_evaluate.h"
#include "tarn/error.h"

namespace tarn::testing {
namespace {

using absl::StatusCode;

constexpr std::chrono::milliseconds kBeginning{1'577'836'800'000};  // 2020-01-01.
constexpr Revision kFirstRevision = Revision{1} << 40;              // Of incarnation 1.
constexpr char kDefault[] = "default";
constexpr size_t kMaxNameBytes = 63;

bool IsName(const std::string& name) {
  const auto small = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= kMaxNameBytes && small(name[0]) &&
         std::ranges::all_of(
             name, [&small](char c) { return small(c) || c == '.' || c == '_' || c == '-'; });
}

absl::Status CheckRange(const KeyRange& range) {
  const bool both = !range.prefix.empty() && !(range.start.empty() && range.end.empty());
  const bool backward = !range.end.empty() && range.end < range.start;
  const size_t longest = std::max({range.prefix.size(), range.start.size(), range.end.size()});
  if (!both && !backward && longest <= FakeStore::kMaxKeyBytes + 1) return absl::OkStatus();
  return MakeError(StatusCode::kInvalidArgument, Reason::kInvalidRange, "the range is not valid");
}

bool IsIn(const KeyRange& range, const std::string& key) {
  if (!range.prefix.empty()) return key.compare(0, range.prefix.size(), range.prefix) == 0;
  return key >= range.start && (range.end.empty() || key < range.end);
}

absl::Status CheckBatch(const Batch& batch) {
  if (batch.empty()) {
    return MakeError(StatusCode::kInvalidArgument, Reason::kInvalidRequest,
                     "the batch has no operations");
  }
  if (batch.size() <= FakeStore::kMaxBatchOperations) return absl::OkStatus();
  return MakeError(StatusCode::kInvalidArgument, Reason::kBatchTooLarge, "the batch is too large");
}

absl::Status CheckAtomic(const Batch& batch) {
  std::set<std::string> changed;
  for (const Operation& operation : batch.operations()) {
    const absl::Status status = CheckOperation(operation);
    if (!status.ok()) return status;
    if (!operation.is_read() && !changed.insert(operation.key).second) {
      return MakeError(StatusCode::kInvalidArgument, Reason::kDuplicateKey,
                       "an atomic batch may change a key only once");
    }
  }
  return absl::OkStatus();
}

// A batch brings its namespace into being with the first operation that can create an entry.
bool CreatesNamespace(const Batch& batch) {
  const auto creates = [](const Operation& operation) {
    const OperationKind kind = operation.kind;
    return (kind == OperationKind::kPut || kind == OperationKind::kIncrement ||
            kind == OperationKind::kAppend) &&
           CheckOperation(operation).ok();
  };
  if (batch.mode() == BatchMode::kAtomic && !CheckAtomic(batch).ok()) return false;
  return std::ranges::any_of(batch.operations(), creates);
}

using Entries = std::map<std::string, Entry>;

const Entry* FindEntry(const Entries& entries, const std::string& key) {
  const auto found = entries.find(key);
  return found == entries.end() ? nullptr : &found->second;
}

// What the changes do to the size of the namespace.
absl::Status CheckQuota(const Entries& entries, const NamespaceSettings& settings,
                        const std::vector<FakeChange>& changes,
                        const std::vector<Operation>& operations) {
  uint64_t bytes = 0;
  for (const auto& [key, entry] : entries) bytes += key.size() + entry.value.size();
  int64_t more_entries = 0;
  int64_t more_bytes = 0;
  for (size_t i = 0; i < changes.size(); ++i) {
    const Entry* old = FindEntry(entries, operations[i].key);
    if (changes[i].kind == FakeChange::Kind::kNothing) continue;
    const auto size = [](const Entry& e) {
      return static_cast<int64_t>(e.key.size() + e.value.size());
    };
    if (old != nullptr) --more_entries, more_bytes -= size(*old);
    if (changes[i].kind == FakeChange::Kind::kWrite)
      ++more_entries, more_bytes += size(changes[i].entry);
  }
  const auto over = [](uint64_t used, int64_t more, uint64_t quota) {
    return quota > 0 && more > 0 && used + static_cast<uint64_t>(more) > quota;
  };
  if (!over(entries.size(), more_entries, settings.quota_entries) &&
      !over(bytes, more_bytes, settings.quota_bytes)) {
    return absl::OkStatus();
  }
  return MakeError(StatusCode::kResourceExhausted, Reason::kQuotaExceeded,
                   "the namespace's quota is used up");
}

void Apply(FakeChange& change, const std::string& key, Revision revision, Entries& entries) {
  if (change.kind == FakeChange::Kind::kNothing) return;
  change.result.revision = revision;
  if (change.kind == FakeChange::Kind::kErase) {
    entries.erase(key);
  } else {
    change.entry.revision = revision;
    entries[key] = std::move(change.entry);
  }
}

}  // namespace

FakeStore::FakeStore(NamespaceCreation creation)
    : creation_(creation), now_(kBeginning), revision_(kFirstRevision) {
  spaces_[kDefault];
}

Timestamp FakeStore::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

void FakeStore::AdvanceTime(std::chrono::milliseconds span) {
  const std::lock_guard lock(mutex_);
  now_ += span;
}

absl::Status FakeStore::CreateNamespace(const std::string& name,
                                        const NamespaceSettings& settings) {
  const std::lock_guard lock(mutex_);
  if (!IsName(name)) {
    return MakeError(StatusCode::kInvalidArgument, Reason::kInvalidNamespaceName,
                     "this is no name of a namespace");
  }
  if (settings.default_ttl.has_value()) {
    const absl::Status status = CheckTtl(*settings.default_ttl);
    if (!status.ok()) return status;
  }
  if (!spaces_.try_emplace(name, Space{settings, {}}).second) {
    return MakeError(StatusCode::kFailedPrecondition, Reason::kNamespaceExists,
                     "the namespace exists");
  }
  return absl::OkStatus();
}

void FakeStore::FailNext(std::string call, absl::Status status, FaultTime time) {
  const std::lock_guard lock(mutex_);
  faults_.push_back({std::move(call), std::move(status), time});
}

uint64_t FakeStore::calls(std::string_view call) const {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(call);
  return found == calls_.end() ? 0 : found->second;
}

std::optional<FakeStore::Fault> FakeStore::Begin(std::string_view call) {
  ++calls_[std::string(call)];
  const auto strikes = [call](const Fault& fault) {
    return fault.call.empty() || fault.call == call;
  };
  const auto found = std::ranges::find_if(faults_, strikes);
  if (found == faults_.end()) return std::nullopt;
  std::optional<Fault> fault = std::move(*found);
  faults_.erase(found);
  return fault;
}

absl::StatusOr<FakeStore::Space*> FakeStore::Find(const std::string& ns, Space* nowhere) {
  const std::string name = ns.empty() ? kDefault : ns;
  if (!IsName(name)) {
    return MakeError(StatusCode::kInvalidArgument, Reason::kInvalidNamespaceName,
                     "this is no name of a namespace");
  }
  auto found = spaces_.find(name);
  if (found == spaces_.end()) {
    if (creation_ == NamespaceCreation::kExplicit) {
      return MakeError(StatusCode::kFailedPrecondition, Reason::kNamespaceNotFound,
                       "there is no such namespace");
    }
    if (nowhere != nullptr) return nowhere;
    found = spaces_.try_emplace(name).first;
  }
  std::erase_if(found->second.entries, [this](const auto& item) {
    return item.second.expire_time.has_value() && *item.second.expire_time <= now_;
  });
  return &found->second;
}

absl::StatusOr<BatchResult> FakeStore::Run(std::string_view call, const std::string& ns,
                                           const Batch& batch, const WriteFence& fence) {
  const std::lock_guard lock(mutex_);
  const std::optional<Fault> fault = Begin(call);
  if (fault.has_value() && fault->time == FaultTime::kBefore) return fault->status;
  const absl::Status valid = CheckBatch(batch);
  if (!valid.ok()) return valid;
  const absl::Status lands = CheckFence(ns, fence);
  if (!lands.ok()) return lands;
  Space nowhere;
  const absl::StatusOr<Space*> space = Find(ns, CreatesNamespace(batch) ? nullptr : &nowhere);
  if (!space.ok()) return space.status();
  absl::StatusOr<BatchResult> result = batch.mode() == BatchMode::kAtomic
                                           ? RunAtomic(**space, batch)
                                           : RunIndependent(**space, batch);
  if (fault.has_value()) return fault->status;
  return result;
}

absl::StatusOr<BatchResult> FakeStore::RunAtomic(Space& space, const Batch& batch) {
  const absl::Status valid = CheckAtomic(batch);
  if (!valid.ok()) return valid;
  std::vector<FakeChange> changes;
  bool mutates = false;
  for (const Operation& operation : batch.operations()) {
    absl::StatusOr<FakeChange> change =
        EvaluateOperation(operation, FindEntry(space.entries, operation.key), space.settings, now_);
    if (!change.ok()) return change.status();
    mutates |= change->kind != FakeChange::Kind::kNothing;
    changes.push_back(*std::move(change));
  }
  const absl::Status fits = CheckQuota(space.entries, space.settings, changes, batch.operations());
  if (!fits.ok()) return fits;
  BatchResult result;
  if (mutates) result.revision = NextRevision();
  for (size_t i = 0; i < changes.size(); ++i) {
    Apply(changes[i], batch.operations()[i].key, result.revision, space.entries);
    result.results.push_back(std::move(changes[i].result));
  }
  return result;
}

BatchResult FakeStore::RunIndependent(Space& space, const Batch& batch) {
  BatchResult result;
  for (const Operation& operation : batch.operations()) {
    Batch alone = Batch::Atomic();
    alone.Add(operation);
    absl::StatusOr<BatchResult> one = RunAtomic(space, alone);
    if (one.ok()) {
      result.results.push_back(std::move(one->results[0]));
    } else {
      result.results.push_back({.status = one.status()});
    }
  }
  return result;
}

absl::StatusOr<ScanChunk> FakeStore::Read(std::string_view call, const std::string& ns,
                                          const KeyRange& range) {
  const std::lock_guard lock(mutex_);
  if (const std::optional<Fault> fault = Begin(call)) return fault->status;
  Space nowhere;
  const absl::StatusOr<Space*> space = Find(ns, &nowhere);
  if (!space.ok()) return space.status();
  const absl::Status valid = CheckRange(range);
  if (!valid.ok()) return valid;
  ScanChunk chunk;
  chunk.revision = revision_;
  for (const auto& [key, entry] : (*space)->entries) {
    if (IsIn(range, key)) chunk.entries.push_back(entry);
  }
  return chunk;
}

absl::StatusOr<DeleteRangeResult> FakeStore::Remove(const std::string& ns,
                                                    const std::optional<KeyRange>& range,
                                                    const WriteFence& fence) {
  const std::lock_guard lock(mutex_);
  const std::optional<Fault> fault = Begin("DeleteRange");
  if (fault.has_value() && fault->time == FaultTime::kBefore) return fault->status;
  const absl::Status lands = CheckFence(ns, fence);
  if (!lands.ok()) return lands;
  Space nowhere;
  const absl::StatusOr<Space*> space = Find(ns, &nowhere);
  if (!space.ok()) return space.status();
  const KeyRange bounds = range.value_or(KeyRange::All());
  const absl::Status valid = CheckRange(bounds);
  if (!valid.ok()) return valid;
  if (range.has_value() && range->is_all()) {
    return MakeError(StatusCode::kInvalidArgument, Reason::kInvalidRange,
                     "an empty range would remove everything");
  }
  DeleteRangeResult result;
  result.deleted_count = std::erase_if(
      (*space)->entries, [&bounds](const auto& item) { return IsIn(bounds, item.first); });
  if (result.deleted_count > 0) result.revision = NextRevision();
  if (fault.has_value()) return fault->status;
  return result;
}

}  // namespace tarn::testing
