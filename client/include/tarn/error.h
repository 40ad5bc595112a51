// What an error says beyond its code. Every error of Tarn's own carries a reason, which is what a
// program acts on; the message is for people.
//
//   absl::StatusOr<PutResult> result = client.Put(key, value, {.precondition =
//   Precondition::AtRevision(seen)}); if (ReasonOf(result.status()) == Reason::kRevisionMismatch)
//   ...  // read again and decide anew if (IsOutcomeUnknown(result.status())) ... // it may or may
//   not have been done: read to find out
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace tarn {

// Why a call failed: tarn.v1.ErrorReason, with the meaning that proto/tarn/v1/errors.proto
// documents, and at the end libtarn's own. Each comes with one code only.
enum class Reason {
  kNone = 0,   // No reason is attached: the error was not raised by Tarn.
  kOther = 1,  // One that this version of libtarn does not know; its name is in ErrorDetails.

  kInvalidRequest,
  kInvalidKey,
  kKeyTooLarge,
  kValueTooLarge,
  kBatchTooLarge,
  kResponseTooLarge,
  kInvalidTtl,
  kInvalidPrecondition,
  kDuplicateKey,
  kInvalidRange,
  kInvalidResumeToken,
  kInvalidPage,
  kInvalidFieldMask,
  kInvalidNamespaceName,
  kDefaultNamespace,
  kNamespaceNotFound,
  kNamespaceExists,
  kNamespaceNotEmpty,
  kAlreadyExists,
  kKeyNotFound,
  kNotAnInteger,
  kCrossSlot,
  kRevisionMismatch,
  kSnapshotExpired,
  kIntegerOverflow,
  kQuotaExceeded,
  kMemoryLimit,
  kDiskFull,
  kQueueFull,
  kTooManySnapshots,
  kTooManyNamespaces,
  kNotReady,
  kNotOwner,
  kDraining,
  kEngineUnavailable,
  kDeadlineExceeded,
  kOutcomeUnknown,
  kNotReplicated,
  kDataLoss,
  kEngineError,
  kInternal,
  kUnsupported,
  kPermissionDenied,

  // Of checkpoints and jobs.
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

  // Of locks and groups.
  kFenced,
  kLockNotHeld,
  kLockHeldByAnother,
  kInvalidLock,
  kLockQueueFull,
  kTooManyLocks,
  kTooManyGroups,

  // Of request ids.
  kUnknownClient,
  kRequestTooOld,
  kRequestMismatch,
  kReceiptsFull,

  // UNAVAILABLE. No connection could be made, so the request was never sent; nothing was done.
  kNotConnected,
  // RESOURCE_EXHAUSTED. The pipeline holds as much as its options allow; the operation was not
  // taken.
  kPipelineFull,
  // CANCELLED. The pipeline was closed or cancelled before the operation was sent; nothing was
  // done.
  kPipelineClosed,
  // INVALID_ARGUMENT. The client's options cannot work: a file that cannot be read, a malformed
  // endpoint.
  kInvalidOptions,
};

// The reason's name, such as "REVISION_MISMATCH"; empty for kNone and kOther.
std::string_view ReasonName(Reason reason);

// The reason that an error carries.
Reason ReasonOf(const absl::Status& status);

// How long to wait at least before the call is repeated, if the server said so.
std::optional<std::chrono::milliseconds> RetryAfter(const absl::Status& status);

// Whether a write that failed like this may have been done all the same. For a read the answer
// means nothing: it may always be repeated. DeleteRange and DeleteNamespace work in several commits
// and may have done a part in any case.
bool IsOutcomeUnknown(const absl::Status& status);

// Whether the same call can succeed later, without anything being changed, and is known not to have
// been done.
bool IsTransient(const absl::Status& status);

// Everything that an error carries.
struct ErrorDetails {
  Reason reason = Reason::kNone;
  std::string reason_name;  // As received; empty when there is none.
  // Particulars such as `limit`, `actual`, `limit_name`, `operation`, `namespace`, `revision`.
  std::map<std::string, std::string> metadata;
  std::optional<std::chrono::milliseconds> retry_after;
  // Which fields of the request are wrong, by path, and what is wrong with each.
  std::map<std::string, std::string> field_violations;
};

ErrorDetails DetailsOf(const absl::Status& status);

// An error as the server makes it, for tests of code that handles errors. `reason` must have a
// name.
absl::Status MakeError(absl::StatusCode code, Reason reason, std::string_view message);

}  // namespace tarn
