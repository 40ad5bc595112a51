// Scans, and long work on ranges of keys.
#include <algorithm>
#include <utility>

#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/key_range.h"
#include "storage/store_impl.h"

namespace tarn::storage {
namespace {

absl::string_view NameOrDefault(absl::string_view name) {
  return name.empty() ? kDefaultNamespace : name;
}

size_t ChunkBytes(size_t asked_for, const Limits& limits) {
  if (asked_for == 0) return limits.default_scan_chunk_bytes;
  return std::min(asked_for, limits.max_scan_chunk_bytes);
}

}  // namespace

absl::StatusOr<NamespaceId> StoreImpl::FindForReading(absl::string_view name) const {
  const LiveNamespace* const ns = registry_->Find(name);
  if (ns != nullptr) return ns->id;
  TARN_RETURN_IF_ERROR(CheckNamespaceName(name));
  if (options_.namespace_creation == NamespaceCreation::kExplicit) return NamespaceNotFound(name);
  return kNowhere;
}

absl::StatusOr<KeyRange> StoreImpl::ResolveRange(absl::string_view ns,
                                                 const KeyBounds& bounds) const {
  TARN_ASSIGN_OR_RETURN(const NamespaceId id, FindForReading(NameOrDefault(ns)));
  return ToKeyRange(id, bounds, options_.limits);
}

void StoreImpl::OpenScan(const ScanRequest& request, Done<std::unique_ptr<Scan>> done) {
  absl::StatusOr<KeyRange> range = ResolveRange(request.ns, request.bounds);
  if (!range.ok()) return std::move(done)(range.status());
  const uint64_t digest = DigestOfScan(NameOrDefault(request.ns), *range, request.options);
  StoreScan::Plan plan{.range = *std::move(range),
                       .options = request.options,
                       .limit = request.limit,
                       .chunk_bytes = ChunkBytes(request.chunk_bytes, options_.limits)};
  if (request.resume_token.empty()) return OpenFreshScan(std::move(plan), digest, std::move(done));
  std::move(done)(ResumeScan(std::move(plan), digest, request.resume_token));
}

// On the executor, because an engine may take its time to open a snapshot.
void StoreImpl::OpenFreshScan(StoreScan::Plan plan, uint64_t digest,
                              Done<std::unique_ptr<Scan>> done) {
  struct Task {
    StoreScan::Plan plan;
    Done<std::unique_ptr<Scan>> done;
    Outstanding::Token token;
  };
  auto task =
      std::make_shared<Task>(Task{std::move(plan), std::move(done), Outstanding::Token(tasks_)});
  const absl::Status submitted = executor_.Submit([this, task, digest] {
    const absl::Status reserved = sessions_.Reserve();
    if (!reserved.ok()) return std::move(task->done)(reserved);
    auto snapshot = engine_.OpenSnapshot(SnapshotPurpose::kScan);
    if (!snapshot.ok()) {
      sessions_.Unreserve();
      return std::move(task->done)(snapshot.status());
    }
    auto session = sessions_.Add(*std::move(snapshot), task->plan.range.ns, digest);
    std::move(task->done)(std::make_unique<StoreScan>(sessions_, std::move(session), tokens_,
                                                      clock_, std::move(task->plan)));
  });
  if (!submitted.ok()) std::move(task->done)(submitted);
}

absl::StatusOr<std::unique_ptr<Scan>> StoreImpl::ResumeScan(StoreScan::Plan plan, uint64_t digest,
                                                            absl::string_view token_bytes) {
  TARN_ASSIGN_OR_RETURN(ResumeToken token, tokens_.Decode(token_bytes));
  if (token.request_digest != digest || !Contains(plan.range, token.last_key)) {
    return InvalidResumeToken("was given for another request");
  }
  // The namespace of that name is another one by now.
  if (token.ns != plan.range.ns) return SnapshotExpired();
  TARN_ASSIGN_OR_RETURN(std::shared_ptr<ScanSession> session, sessions_.Resume(token.session));
  if (session->ns != token.ns || session->request_digest != digest) {
    sessions_.Leave(session, ScanSessions::Afterwards::kKeep);
    return InvalidResumeToken("does not belong to its snapshot");
  }
  plan.range = RangeBehind(plan.range, token.last_key, plan.options.direction);
  plan.last_key = std::move(token.last_key);
  return std::make_unique<StoreScan>(sessions_, std::move(session), tokens_, clock_,
                                     std::move(plan));
}

void StoreImpl::Count(absl::string_view ns, const KeyBounds& bounds, StopRequested stop,
                      Done<CountResult> done) {
  absl::StatusOr<KeyRange> range = ResolveRange(ns, bounds);
  if (!range.ok()) return std::move(done)(range.status());
  CountRange(TaskContext(), *std::move(range), std::move(stop), std::move(done));
}

void StoreImpl::DeleteRange(absl::string_view ns, const KeyBounds& bounds, const WriteFence& fence,
                            StopRequested stop, Done<DeleteRangeResult> done) {
  absl::StatusOr<KeyRange> range = ResolveRange(ns, bounds);
  if (!range.ok()) return std::move(done)(range.status());
  RangeFence checks{*locks_, std::string(NameOrDefault(ns)), fence};
  // Also where there is nothing to delete.
  const absl::Status lets_in = checks.Enter().status();
  if (!lets_in.ok()) return std::move(done)(lets_in);
  storage::DeleteRange(TaskContext(), *std::move(range), std::move(checks), options_.limits,
                       std::move(stop), std::move(done));
}

}  // namespace tarn::storage
