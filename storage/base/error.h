// The reasons that Tarn's errors carry, and the one way to attach them to an absl::Status.
//
// The reason is what a program acts on; the message is for people. The server sends it as
// google.rpc.ErrorInfo (domain "tarn"); proto/tarn/v1/errors.proto documents each under the same
// name, with the one code that it comes with.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tarn::base {

enum class Reason {
  kNone,  // No reason is attached: the error does not come from Tarn's own rules.
  kInvalidRequest,
  kInvalidKey,
  kKeyTooLarge,
  kValueTooLarge,
  kBatchTooLarge,
  kResponseTooLarge,
  kInvalidNamespaceName,
  kNamespaceNotFound,
  kNamespaceExists,
  kNamespaceNotEmpty,
  kTooManyNamespaces,
  kDefaultNamespace,
  kInvalidTtl,
  kInvalidPrecondition,
  kDuplicateKey,
  kInvalidRange,
  kInvalidResumeToken,
  kInvalidPage,
  kInvalidFieldMask,
  kSnapshotExpired,
  kTooManySnapshots,
  kRevisionMismatch,
  kAlreadyExists,
  kKeyNotFound,
  kNotAnInteger,
  kIntegerOverflow,
  kCrossSlot,
  kQuotaExceeded,
  kMemoryLimit,
  kDiskFull,
  kQueueFull,
  kNotOwner,
  kNotReady,
  kDraining,
  kEngineUnavailable,
  kDeadlineExceeded,
  kOutcomeUnknown,
  kNotReplicated,
  kEngineError,
  kInternal,
  kDataLoss,
  kPermissionDenied,
  kUnsupported,
  kCheckpointsDisabled,
  kInvalidCheckpointId,
  kCheckpointNotFound,
  kCheckpointExists,
  kCheckpointPinned,
  kLastCheckpoint,
  kInvalidPin,
  kOtherStore,
  kLaterIncarnation,
  kNewerFormat,
  kRestoreRunning,
  kJobNotFound,
  kFenced,
  kLockNotHeld,
  kLockHeldByAnother,
  kInvalidLock,
  kLockQueueFull,
  kTooManyLocks,
  kTooManyGroups,
  kUnknownClient,
  kRequestTooOld,
  kRequestMismatch,
  kReceiptsFull,
};
inline constexpr size_t kReasons = static_cast<size_t>(Reason::kReceiptsFull) + 1;

// The reason's name on the wire, such as "REVISION_MISMATCH"; empty for kNone.
absl::string_view ReasonName(Reason reason);

// The reason with that name; kNone when there is none.
Reason ReasonFromName(absl::string_view name);

// An error that carries its reason. `code` must not be kOk.
absl::Status MakeError(absl::StatusCode code, Reason reason, absl::string_view message);

// The reason an error carries; kNone for OK and for errors made elsewhere.
Reason ReasonOf(const absl::Status& status);

// The same error with `context` and ": " put before its message, code and reason kept.
absl::Status Annotate(const absl::Status& status, absl::string_view context);

}  // namespace tarn::base
