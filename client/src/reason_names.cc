#include "client/src/reason_names.h"

#include <array>

namespace tarn::internal {
namespace {

constexpr std::array kNames = {
    NamedReason{Reason::kInvalidRequest, "INVALID_REQUEST"},
    NamedReason{Reason::kInvalidKey, "INVALID_KEY"},
    NamedReason{Reason::kKeyTooLarge, "KEY_TOO_LARGE"},
    NamedReason{Reason::kValueTooLarge, "VALUE_TOO_LARGE"},
    NamedReason{Reason::kBatchTooLarge, "BATCH_TOO_LARGE"},
    NamedReason{Reason::kResponseTooLarge, "RESPONSE_TOO_LARGE"},
    NamedReason{Reason::kInvalidTtl, "INVALID_TTL"},
    NamedReason{Reason::kInvalidPrecondition, "INVALID_PRECONDITION"},
    NamedReason{Reason::kDuplicateKey, "DUPLICATE_KEY"},
    NamedReason{Reason::kInvalidRange, "INVALID_RANGE"},
    NamedReason{Reason::kInvalidResumeToken, "INVALID_RESUME_TOKEN"},
    NamedReason{Reason::kInvalidPage, "INVALID_PAGE"},
    NamedReason{Reason::kInvalidFieldMask, "INVALID_FIELD_MASK"},
    NamedReason{Reason::kInvalidNamespaceName, "INVALID_NAMESPACE_NAME"},
    NamedReason{Reason::kDefaultNamespace, "DEFAULT_NAMESPACE"},
    NamedReason{Reason::kNamespaceNotFound, "NAMESPACE_NOT_FOUND"},
    NamedReason{Reason::kNamespaceExists, "NAMESPACE_EXISTS"},
    NamedReason{Reason::kNamespaceNotEmpty, "NAMESPACE_NOT_EMPTY"},
    NamedReason{Reason::kAlreadyExists, "ALREADY_EXISTS"},
    NamedReason{Reason::kKeyNotFound, "KEY_NOT_FOUND"},
    NamedReason{Reason::kNotAnInteger, "NOT_AN_INTEGER"},
    NamedReason{Reason::kCrossSlot, "CROSS_SLOT"},
    NamedReason{Reason::kRevisionMismatch, "REVISION_MISMATCH"},
    NamedReason{Reason::kSnapshotExpired, "SNAPSHOT_EXPIRED"},
    NamedReason{Reason::kIntegerOverflow, "INTEGER_OVERFLOW"},
    NamedReason{Reason::kQuotaExceeded, "QUOTA_EXCEEDED"},
    NamedReason{Reason::kMemoryLimit, "MEMORY_LIMIT"},
    NamedReason{Reason::kDiskFull, "DISK_FULL"},
    NamedReason{Reason::kQueueFull, "QUEUE_FULL"},
    NamedReason{Reason::kTooManySnapshots, "TOO_MANY_SNAPSHOTS"},
    NamedReason{Reason::kTooManyNamespaces, "TOO_MANY_NAMESPACES"},
    NamedReason{Reason::kNotReady, "NOT_READY"},
    NamedReason{Reason::kNotOwner, "NOT_OWNER"},
    NamedReason{Reason::kDraining, "DRAINING"},
    NamedReason{Reason::kEngineUnavailable, "ENGINE_UNAVAILABLE"},
    NamedReason{Reason::kDeadlineExceeded, "DEADLINE_EXCEEDED"},
    NamedReason{Reason::kOutcomeUnknown, "OUTCOME_UNKNOWN"},
    NamedReason{Reason::kNotReplicated, "NOT_REPLICATED"},
    NamedReason{Reason::kDataLoss, "DATA_LOSS"},
    NamedReason{Reason::kEngineError, "ENGINE_ERROR"},
    NamedReason{Reason::kInternal, "INTERNAL"},
    NamedReason{Reason::kUnsupported, "UNSUPPORTED"},
    NamedReason{Reason::kPermissionDenied, "PERMISSION_DENIED"},
    NamedReason{Reason::kCheckpointsDisabled, "CHECKPOINTS_DISABLED"},
    NamedReason{Reason::kInvalidCheckpointId, "INVALID_CHECKPOINT_ID"},
    NamedReason{Reason::kCheckpointNotFound, "CHECKPOINT_NOT_FOUND"},
    NamedReason{Reason::kCheckpointExists, "CHECKPOINT_EXISTS"},
    NamedReason{Reason::kCheckpointPinned, "CHECKPOINT_PINNED"},
    NamedReason{Reason::kLastCheckpoint, "LAST_CHECKPOINT"},
    NamedReason{Reason::kInvalidPin, "INVALID_PIN"},
    NamedReason{Reason::kOtherStore, "OTHER_STORE"},
    NamedReason{Reason::kLaterIncarnation, "LATER_INCARNATION"},
    NamedReason{Reason::kNewerFormat, "NEWER_FORMAT"},
    NamedReason{Reason::kRestoreRunning, "RESTORE_RUNNING"},
    NamedReason{Reason::kJobNotFound, "JOB_NOT_FOUND"},
    NamedReason{Reason::kFenced, "FENCED"},
    NamedReason{Reason::kLockNotHeld, "LOCK_NOT_HELD"},
    NamedReason{Reason::kLockHeldByAnother, "LOCK_HELD_BY_ANOTHER"},
    NamedReason{Reason::kInvalidLock, "INVALID_LOCK"},
    NamedReason{Reason::kLockQueueFull, "LOCK_QUEUE_FULL"},
    NamedReason{Reason::kTooManyLocks, "TOO_MANY_LOCKS"},
    NamedReason{Reason::kTooManyGroups, "TOO_MANY_GROUPS"},
    NamedReason{Reason::kUnknownClient, "UNKNOWN_CLIENT"},
    NamedReason{Reason::kRequestTooOld, "REQUEST_TOO_OLD"},
    NamedReason{Reason::kRequestMismatch, "REQUEST_MISMATCH"},
    NamedReason{Reason::kReceiptsFull, "RECEIPTS_FULL"},
};

constexpr std::array kOwnNames = {
    NamedReason{Reason::kNotConnected, "NOT_CONNECTED"},
    NamedReason{Reason::kPipelineFull, "PIPELINE_FULL"},
    NamedReason{Reason::kPipelineClosed, "PIPELINE_CLOSED"},
    NamedReason{Reason::kInvalidOptions, "INVALID_OPTIONS"},
};

}  // namespace

std::span<const NamedReason> ServerReasons() { return kNames; }
std::span<const NamedReason> OwnReasons() { return kOwnNames; }

}  // namespace tarn::internal
