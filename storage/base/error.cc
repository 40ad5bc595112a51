#include "storage/base/error.h"

#include <cstddef>
#include <iterator>
#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace tarn::base {
namespace {

// Never leaves the process: the server turns it into ErrorInfo. One byte, so that the payload needs
// no allocation of its own.
constexpr absl::string_view kReasonPayload = "tarn.reason";

// In the order of the enum.
constexpr absl::string_view kNames[] = {
    "",
    "INVALID_REQUEST",
    "INVALID_KEY",
    "KEY_TOO_LARGE",
    "VALUE_TOO_LARGE",
    "BATCH_TOO_LARGE",
    "RESPONSE_TOO_LARGE",
    "INVALID_NAMESPACE_NAME",
    "NAMESPACE_NOT_FOUND",
    "NAMESPACE_EXISTS",
    "NAMESPACE_NOT_EMPTY",
    "TOO_MANY_NAMESPACES",
    "DEFAULT_NAMESPACE",
    "INVALID_TTL",
    "INVALID_PRECONDITION",
    "DUPLICATE_KEY",
    "INVALID_RANGE",
    "INVALID_RESUME_TOKEN",
    "INVALID_PAGE",
    "INVALID_FIELD_MASK",
    "SNAPSHOT_EXPIRED",
    "TOO_MANY_SNAPSHOTS",
    "REVISION_MISMATCH",
    "ALREADY_EXISTS",
    "KEY_NOT_FOUND",
    "NOT_AN_INTEGER",
    "INTEGER_OVERFLOW",
    "CROSS_SLOT",
    "QUOTA_EXCEEDED",
    "MEMORY_LIMIT",
    "DISK_FULL",
    "QUEUE_FULL",
    "NOT_OWNER",
    "NOT_READY",
    "DRAINING",
    "ENGINE_UNAVAILABLE",
    "DEADLINE_EXCEEDED",
    "OUTCOME_UNKNOWN",
    "NOT_REPLICATED",
    "ENGINE_ERROR",
    "INTERNAL",
    "DATA_LOSS",
    "PERMISSION_DENIED",
    "UNSUPPORTED",
    "CHECKPOINTS_DISABLED",
    "INVALID_CHECKPOINT_ID",
    "CHECKPOINT_NOT_FOUND",
    "CHECKPOINT_EXISTS",
    "CHECKPOINT_PINNED",
    "LAST_CHECKPOINT",
    "INVALID_PIN",
    "OTHER_STORE",
    "LATER_INCARNATION",
    "NEWER_FORMAT",
    "RESTORE_RUNNING",
    "JOB_NOT_FOUND",
    "FENCED",
    "LOCK_NOT_HELD",
    "LOCK_HELD_BY_ANOTHER",
    "INVALID_LOCK",
    "LOCK_QUEUE_FULL",
    "TOO_MANY_LOCKS",
    "TOO_MANY_GROUPS",
    "UNKNOWN_CLIENT",
    "REQUEST_TOO_OLD",
    "REQUEST_MISMATCH",
    "RECEIPTS_FULL",
};
static_assert(std::size(kNames) == kReasons, "each reason has a name");

}  // namespace

absl::string_view ReasonName(Reason reason) { return kNames[static_cast<size_t>(reason)]; }

Reason ReasonFromName(absl::string_view name) {
  for (size_t i = 1; i < std::size(kNames); ++i) {
    if (kNames[i] == name) return static_cast<Reason>(i);
  }
  return Reason::kNone;
}

absl::Status MakeError(absl::StatusCode code, Reason reason, absl::string_view message) {
  absl::Status status(code, message);
  if (reason == Reason::kNone) return status;
  const char number = static_cast<char>(reason);
  status.SetPayload(kReasonPayload, absl::Cord(absl::string_view(&number, 1)));
  return status;
}

Reason ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kReasonPayload);
  if (!payload || payload->size() != 1) return Reason::kNone;
  const auto number = static_cast<unsigned char>((*payload)[0]);
  return number < std::size(kNames) ? static_cast<Reason>(number) : Reason::kNone;
}

absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(context, ": ", status.message()));
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
    annotated.SetPayload(type, payload);
  });
  return annotated;
}

}  // namespace tarn::base
