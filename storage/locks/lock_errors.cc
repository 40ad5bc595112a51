#include "storage/locks/lock_errors.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/namespace_record.h"

namespace tarn::storage {
namespace {

using base::MakeError;
using base::Reason;

absl::Status Invalid(absl::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument, Reason::kInvalidLock, message);
}

absl::Status Refused(Reason reason, absl::string_view message, absl::string_view holder) {
  absl::Status status = MakeError(absl::StatusCode::kFailedPrecondition, reason, message);
  if (!holder.empty()) status.SetPayload(kHolderPayload, absl::Cord(holder));
  return status;
}

}  // namespace

absl::Status CheckLockName(absl::string_view what, absl::string_view name, const Limits& limits) {
  if (name.empty()) return Invalid(absl::StrCat("the name of the ", what, " is required"));
  if (name.size() <= limits.max_lock_name_bytes) return absl::OkStatus();
  return Invalid(absl::StrCat("the name of the ", what, " has ", name.size(), " bytes, more than ",
                              limits.max_lock_name_bytes));
}

absl::Status CheckToken(Revision token) {
  return token != 0 ? absl::OkStatus() : Invalid("the token is required");
}

absl::Status CheckLockTtl(int64_t ttl_ms, const Limits& limits) {
  if (ttl_ms > 0 && ttl_ms <= limits.max_lock_ttl_ms) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kInvalidArgument, Reason::kInvalidTtl,
      absl::StrCat("the TTL of a lock must be 1 to ", limits.max_lock_ttl_ms, " ms, not ", ttl_ms));
}

absl::Status CheckLockRequest(const LockRequest& request, const Limits& limits) {
  TARN_RETURN_IF_ERROR(CheckNamespaceName(request.ns));
  TARN_RETURN_IF_ERROR(CheckLockName("lock", request.name, limits));
  TARN_RETURN_IF_ERROR(CheckLockName("holder", request.holder, limits));
  if (!request.request_id.empty())
    TARN_RETURN_IF_ERROR(CheckLockName("request", request.request_id, limits));
  if (request.wait_ms < 0) return Invalid("the time to wait is negative");
  return CheckLockTtl(request.ttl_ms, limits);
}

absl::Status LockNotHeld(absl::string_view name) {
  return Refused(Reason::kLockNotHeld,
                 absl::StrCat("nobody holds the lock ", name, ": it was released or has expired"),
                 "");
}

absl::Status LockHeldByAnother(absl::string_view name, absl::string_view holder,
                               absl::string_view how) {
  const std::string whose =
      holder.empty() ? "others are before" : absl::StrCat(holder, " holds it");
  return Refused(Reason::kLockHeldByAnother, absl::StrCat("the lock ", name, ": ", whose, how),
                 holder);
}

absl::Status LockFenced(absl::string_view name, absl::string_view holder) {
  const std::string now =
      holder.empty() ? "nobody holds it now" : absl::StrCat(holder, " holds it under a later one");
  return Refused(
      Reason::kFenced,
      absl::StrCat("the lock ", name, " is not held under the token of this write: ", now), holder);
}

absl::Status GroupFenced(absl::string_view name, absl::string_view member) {
  const std::string now = member.empty() ? "it has none now, or is about to have another"
                                         : absl::StrCat(member, " has raised it since");
  return Refused(
      Reason::kFenced,
      absl::StrCat("the epoch of this write is not the one of the group ", name, ": ", now),
      member);
}

}  // namespace tarn::storage
