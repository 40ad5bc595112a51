#include "server/rpc/errors.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "storage/locks/lock_errors.h"

namespace tarn::server {
namespace {

using base::Reason;

constexpr absl::string_view kDomain = "tarn";
constexpr absl::string_view kFieldPayload = "tarn.field";  // Never leaves the process.

std::string ToString(absl::string_view text) { return std::string(text.data(), text.size()); }

// How long to wait before the next attempt; 0 where waiting alone does not help.
int RetryDelayMs(Reason reason) {
  switch (reason) {
    case Reason::kQueueFull:
      return 50;  // A queue of thousands empties in less.
    case Reason::kNotReady:
      return 100;
    case Reason::kEngineUnavailable:
      return 500;
    case Reason::kDraining:  // The next daemon has to start.
    case Reason::kNotOwner:
    case Reason::kTooManySnapshots:
    case Reason::kLockQueueFull:
    case Reason::kReceiptsFull:
      return 1000;
    default:
      return 0;
  }
}

// The name of an action's message in a batch's operation.
absl::string_view ActionName(storage::OperationKind kind) {
  switch (kind) {
    case storage::OperationKind::kGet:
      return "get";
    case storage::OperationKind::kPut:
      return "put";
    case storage::OperationKind::kDelete:
      return "delete";
    case storage::OperationKind::kTake:
      return "take";
    case storage::OperationKind::kAdd:
      return "increment";
    case storage::OperationKind::kAppend:
      return "append";
    case storage::OperationKind::kTouch:
      return "touch";
  }
  return "";
}

// The path of a field that belongs to an action: `value` of a unary call, `put.value` of an
// operation.
std::string ActionField(const ErrorSite& site, absl::string_view field) {
  if (!site.index || site.operation == nullptr) return ToString(field);
  return absl::StrCat(ActionName(site.operation->kind), ".", field);
}

// The field that a reason speaks of, relative to the operation where there is one.
std::string FieldOf(Reason reason, const ErrorSite& site) {
  switch (reason) {
    case Reason::kInvalidKey:
    case Reason::kKeyTooLarge:
    case Reason::kDuplicateKey:
      return "key";
    case Reason::kValueTooLarge: {
      const bool append =
          site.operation != nullptr && site.operation->kind == storage::OperationKind::kAppend;
      return ActionField(site, append ? "suffix" : "value");
    }
    case Reason::kInvalidTtl:
      return ActionField(site, "ttl");
    case Reason::kInvalidPrecondition:
      return "precondition";
    case Reason::kInvalidRange:
      return "range";
    case Reason::kInvalidResumeToken:
      return "resume_token";
    case Reason::kInvalidPage:
      return "page_token";
    case Reason::kInvalidFieldMask:
      return "update_mask";
    default:
      return "";
  }
}

// The fields that are the request's even where an operation failed.
absl::string_view RequestFieldOf(Reason reason) {
  switch (reason) {
    case Reason::kInvalidNamespaceName:
      return "namespace";
    case Reason::kBatchTooLarge:
    case Reason::kResponseTooLarge:
      return "operations";
    case Reason::kInvalidLock:
      return "fence";
    default:
      return "";
  }
}

std::string FieldPath(const absl::Status& status, Reason reason, const ErrorSite& site) {
  std::string field;
  if (const auto payload = status.GetPayload(kFieldPayload)) {
    field = std::string(*payload);
  } else if (const absl::string_view whole = RequestFieldOf(reason); !whole.empty()) {
    return ToString(whole);
  } else {
    field = FieldOf(reason, site);
  }
  if (!site.index) return field;
  if (field.empty()) return absl::StrCat("operations[", *site.index, "]");
  return absl::StrCat("operations[", *site.index, "].", field);
}

struct LimitFigures {
  absl::string_view name;
  std::optional<uint64_t> limit;
  std::optional<uint64_t> actual;
};

LimitFigures FiguresOf(Reason reason, const ErrorSite& site) {
  const storage::Limits* limits = site.limits;
  const storage::Operation* operation = site.operation;
  if (limits == nullptr) return {};
  switch (reason) {
    case Reason::kKeyTooLarge:
      return {"max_key_bytes", limits->max_key_bytes,
              operation ? std::optional<uint64_t>(operation->key.size()) : std::nullopt};
    case Reason::kValueTooLarge: {
      // What an append would have made is known to the engine only.
      const bool known = operation != nullptr && operation->kind == storage::OperationKind::kPut;
      return {"max_value_bytes", limits->max_value_bytes,
              known ? std::optional<uint64_t>(operation->value.size()) : std::nullopt};
    }
    case Reason::kBatchTooLarge:
      return {"max_batch_operations", limits->max_batch_operations, site.batch_size};
    case Reason::kResponseTooLarge:
      return {"max_response_bytes", limits->max_response_bytes, std::nullopt};
    case Reason::kTooManyNamespaces:
      return {"max_namespaces", limits->max_namespaces, std::nullopt};
    case Reason::kTooManyLocks:
      return {"max_locks", limits->max_locks, std::nullopt};
    case Reason::kTooManyGroups:
      return {"max_groups", limits->max_groups, std::nullopt};
    default:
      return {};
  }
}

bool SpeaksOfNamespace(Reason reason) {
  return reason == Reason::kNamespaceNotFound || reason == Reason::kNamespaceExists ||
         reason == Reason::kNamespaceNotEmpty || reason == Reason::kQuotaExceeded;
}

google::rpc::ErrorInfo InfoOf(Reason reason, const ErrorSite& site) {
  google::rpc::ErrorInfo info;
  info.set_reason(ToString(base::ReasonName(reason)));
  info.set_domain(ToString(kDomain));
  auto& metadata = *info.mutable_metadata();
  if (site.index) metadata["operation"] = absl::StrCat(*site.index);
  if (SpeaksOfNamespace(reason) && !site.ns.empty()) metadata["namespace"] = ToString(site.ns);
  const LimitFigures figures = FiguresOf(reason, site);
  if (!figures.name.empty()) metadata["limit_name"] = ToString(figures.name);
  if (figures.limit) metadata["limit"] = absl::StrCat(*figures.limit);
  if (figures.actual) metadata["actual"] = absl::StrCat(*figures.actual);
  return info;
}

// The reason of an error that came without one.
Reason ReasonForCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kDeadlineExceeded:
      return Reason::kDeadlineExceeded;
    case absl::StatusCode::kDataLoss:
      return Reason::kDataLoss;
    case absl::StatusCode::kUnimplemented:
      return Reason::kUnsupported;
    case absl::StatusCode::kCancelled:
      return Reason::kNone;  // The caller's own doing.
    default:
      return Reason::kInternal;
  }
}

void AddDetails(google::rpc::Status* wire, const absl::Status& status, Reason reason,
                const ErrorSite& site) {
  google::rpc::ErrorInfo info = InfoOf(reason, site);
  if (const auto holder = status.GetPayload(storage::kHolderPayload))
    (*info.mutable_metadata())["holder"] = std::string(*holder);
  wire->add_details()->PackFrom(info);
  if (const int delay_ms = RetryDelayMs(reason); delay_ms > 0) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(delay_ms / 1000);
    retry.mutable_retry_delay()->set_nanos(delay_ms % 1000 * 1'000'000);
    wire->add_details()->PackFrom(retry);
  }
  if (CodeOf(reason) != absl::StatusCode::kInvalidArgument) return;
  const std::string path = FieldPath(status, reason, site);
  if (path.empty()) return;
  google::rpc::BadRequest bad;
  auto* violation = bad.add_field_violations();
  violation->set_field(path);
  violation->set_description(ToString(status.message()));
  wire->add_details()->PackFrom(bad);
}

}  // namespace

google::rpc::Status ToWire(const absl::Status& status, const ErrorSite& site) {
  google::rpc::Status wire;
  const Reason reason = ReasonToTell(status);
  wire.set_message(ToString(status.message()));
  if (reason == Reason::kNone) {
    wire.set_code(static_cast<int>(status.code()));
    return wire;
  }
  wire.set_code(static_cast<int>(CodeOf(reason)));
  AddDetails(&wire, status, reason, site);
  return wire;
}

Reason ReasonToTell(const absl::Status& status) {
  const Reason reason = base::ReasonOf(status);
  return reason == Reason::kNone ? ReasonForCode(status.code()) : reason;
}

Reason ReasonOf(const google::rpc::Status& error) {
  google::rpc::ErrorInfo info;
  for (const auto& detail : error.details()) {
    if (detail.UnpackTo(&info)) return base::ReasonFromName(info.reason());
  }
  return Reason::kNone;
}

bool AdvisesRetry(Reason reason) { return RetryDelayMs(reason) > 0; }

absl::Status AtField(const absl::Status& status, absl::string_view path) {
  absl::Status with_field = status;
  with_field.SetPayload(kFieldPayload, absl::Cord(path));
  return with_field;
}

absl::Status InvalidField(Reason reason, absl::string_view path, absl::string_view message) {
  return AtField(base::MakeError(absl::StatusCode::kInvalidArgument, reason, message), path);
}

absl::StatusCode CodeOf(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return absl::StatusCode::kUnknown;
    case Reason::kInvalidRequest:
    case Reason::kInvalidKey:
    case Reason::kKeyTooLarge:
    case Reason::kValueTooLarge:
    case Reason::kBatchTooLarge:
    case Reason::kResponseTooLarge:
    case Reason::kInvalidNamespaceName:
    case Reason::kDefaultNamespace:
    case Reason::kInvalidTtl:
    case Reason::kInvalidPrecondition:
    case Reason::kDuplicateKey:
    case Reason::kInvalidRange:
    case Reason::kInvalidResumeToken:
    case Reason::kInvalidPage:
    case Reason::kInvalidFieldMask:
    case Reason::kInvalidCheckpointId:
    case Reason::kInvalidPin:
    case Reason::kInvalidLock:
    case Reason::kRequestMismatch:
      return absl::StatusCode::kInvalidArgument;
    case Reason::kCheckpointNotFound:
    case Reason::kJobNotFound:
      return absl::StatusCode::kNotFound;
    case Reason::kCheckpointExists:
      return absl::StatusCode::kAlreadyExists;
    case Reason::kNamespaceNotFound:
    case Reason::kNamespaceExists:
    case Reason::kNamespaceNotEmpty:
    case Reason::kAlreadyExists:
    case Reason::kKeyNotFound:
    case Reason::kNotAnInteger:
    case Reason::kCrossSlot:
    case Reason::kCheckpointsDisabled:
    case Reason::kCheckpointPinned:
    case Reason::kLastCheckpoint:
    case Reason::kOtherStore:
    case Reason::kLaterIncarnation:
    case Reason::kNewerFormat:
    case Reason::kRestoreRunning:
    case Reason::kFenced:
    case Reason::kLockNotHeld:
    case Reason::kLockHeldByAnother:
      return absl::StatusCode::kFailedPrecondition;
    case Reason::kSnapshotExpired:
    case Reason::kRevisionMismatch:
      return absl::StatusCode::kAborted;
    case Reason::kIntegerOverflow:
    case Reason::kUnknownClient:
    case Reason::kRequestTooOld:
      return absl::StatusCode::kOutOfRange;
    case Reason::kTooManyNamespaces:
    case Reason::kTooManySnapshots:
    case Reason::kQuotaExceeded:
    case Reason::kMemoryLimit:
    case Reason::kDiskFull:
    case Reason::kQueueFull:
    case Reason::kLockQueueFull:
    case Reason::kTooManyLocks:
    case Reason::kTooManyGroups:
    case Reason::kReceiptsFull:
      return absl::StatusCode::kResourceExhausted;
    case Reason::kNotOwner:
    case Reason::kNotReady:
    case Reason::kDraining:
    case Reason::kEngineUnavailable:
      return absl::StatusCode::kUnavailable;
    case Reason::kDeadlineExceeded:
      return absl::StatusCode::kDeadlineExceeded;
    case Reason::kOutcomeUnknown:
    case Reason::kNotReplicated:
      return absl::StatusCode::kUnknown;
    case Reason::kEngineError:
    case Reason::kInternal:
      return absl::StatusCode::kInternal;
    case Reason::kDataLoss:
      return absl::StatusCode::kDataLoss;
    case Reason::kPermissionDenied:
      return absl::StatusCode::kPermissionDenied;
    case Reason::kUnsupported:
      return absl::StatusCode::kUnimplemented;
  }
  return absl::StatusCode::kUnknown;
}

tarn::v1::ErrorReason ToWireReason(Reason reason) {
  if (reason == Reason::kNone) return tarn::v1::ERROR_REASON_UNSPECIFIED;
  auto wire = tarn::v1::ERROR_REASON_UNSPECIFIED;
  tarn::v1::ErrorReason_Parse(absl::StrCat("ERROR_REASON_", base::ReasonName(reason)), &wire);
  return wire;
}

}  // namespace tarn::server
