#include "server/rpc/conversion.h"

#include <optional>
#include <string>
#include <utility>

#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::server {
namespace {

using base::Reason;
using storage::OperationKind;

absl::Status InvalidPrecondition(absl::string_view message) {
  return base::MakeError(absl::StatusCode::kInvalidArgument, Reason::kInvalidPrecondition, message);
}

absl::Status InvalidTtl(absl::string_view message) {
  return base::MakeError(absl::StatusCode::kInvalidArgument, Reason::kInvalidTtl, message);
}

absl::StatusOr<storage::Precondition> ToPrecondition(const tarn::v1::Precondition& message) {
  using Kind = storage::Precondition::Kind;
  switch (message.condition_case()) {
    case tarn::v1::Precondition::kAbsent:
      if (!message.absent()) return InvalidPrecondition("absent must be true when it is set");
      return storage::Precondition{.kind = Kind::kAbsent};
    case tarn::v1::Precondition::kPresent:
      if (!message.present()) return InvalidPrecondition("present must be true when it is set");
      return storage::Precondition{.kind = Kind::kPresent};
    case tarn::v1::Precondition::kRevision:
      if (message.revision() == 0)
        return InvalidPrecondition("revision must not be 0: no entry has that revision");
      return storage::Precondition{.kind = Kind::kRevision, .revision = message.revision()};
    case tarn::v1::Precondition::CONDITION_NOT_SET:
      break;
  }
  return InvalidPrecondition("a precondition needs one of absent, present and revision");
}

absl::StatusOr<storage::Ttl> ToTtl(const tarn::v1::Ttl& message) {
  using Kind = storage::Ttl::Kind;
  switch (message.lifetime_case()) {
    case tarn::v1::Ttl::kNever:
      if (!message.never()) return InvalidTtl("never must be true when it is set");
      return storage::Ttl{.kind = Kind::kNever};
    case tarn::v1::Ttl::kMilliseconds:
      return storage::Ttl{.kind = Kind::kDuration, .milliseconds = message.milliseconds()};
    case tarn::v1::Ttl::LIFETIME_NOT_SET:
      break;
  }
  return InvalidTtl("a TTL needs one of never and milliseconds");
}

// What every operation has: the key, and perhaps a precondition. Of a unary request or of a batch's
// operation.
template <typename Message>
absl::Status SetKey(const Message& message, storage::Operation* operation) {
  operation->key = message.key();
  if (!message.has_precondition()) return absl::OkStatus();
  TARN_ASSIGN_OR_RETURN(operation->precondition, ToPrecondition(message.precondition()));
  return absl::OkStatus();
}

template <typename Message>
absl::StatusOr<storage::Operation> WithKey(const Message& message, OperationKind kind) {
  storage::Operation operation;
  operation.kind = kind;
  TARN_RETURN_IF_ERROR(SetKey(message, &operation));
  return operation;
}

// The TTL of an operation: of a unary request, or of an action.
template <typename Message>
absl::Status SetTtl(const Message& message, storage::Operation* operation) {
  if (!message.has_ttl()) {
    if (operation->kind == OperationKind::kTouch) return InvalidTtl("touch needs a TTL");
    return absl::OkStatus();
  }
  TARN_ASSIGN_OR_RETURN(operation->ttl, ToTtl(message.ttl()));
  return absl::OkStatus();
}

// What the action says besides the key. `operation` has its kind.
absl::Status SetAction(const tarn::v1::Operation& message, storage::Operation* operation) {
  switch (operation->kind) {
    case OperationKind::kPut:
      operation->value = message.put().value();
      return SetTtl(message.put(), operation);
    case OperationKind::kAdd:
      operation->delta = message.increment().delta();
      return SetTtl(message.increment(), operation);
    case OperationKind::kAppend:
      operation->value = message.append().suffix();
      return SetTtl(message.append(), operation);
    case OperationKind::kTouch:
      return SetTtl(message.touch(), operation);
    default:
      return absl::OkStatus();
  }
}

void Fill(const storage::OperationResult& result, tarn::v1::OperationResult& message) {
  message.set_found(result.found);
  if (!result.value.empty()) message.set_value(result.value.data(), result.value.size());
  message.set_revision(result.revision);
  message.set_expire_time_ms(result.deadline);
  message.set_number(result.number);
  message.set_size_bytes(result.size);
  message.set_replayed(result.replayed);
}

void FillFailed(const absl::Status& status, const ErrorSite& common,
                const storage::Operation* operation, WireResults& results) {
  ErrorSite site = common;
  site.index = static_cast<size_t>(results.size());
  site.operation = operation;
  *results.Add()->mutable_status() = ToWire(status, site);
}

void FillBad(const BadOperation& bad, const ErrorSite& common, WireResults& results) {
  storage::Operation operation;
  if (bad.kind) operation.kind = *bad.kind;
  FillFailed(bad.status, common, bad.kind ? &operation : nullptr, results);
}

}  // namespace

absl::StatusOr<storage::Operation> ToOperation(const tarn::v1::GetRequest& request) {
  return WithKey(request, OperationKind::kGet);
}

absl::StatusOr<storage::Operation> ToOperation(const tarn::v1::PutRequest& request) {
  TARN_ASSIGN_OR_RETURN(storage::Operation operation, WithKey(request, OperationKind::kPut));
  operation.value = request.value();
  TARN_RETURN_IF_ERROR(SetTtl(request, &operation));
  return operation;
}

absl::StatusOr<storage::Operation> ToOperation(const tarn::v1::DeleteRequest& request) {
  return WithKey(request, OperationKind::kDelete);
}

absl::StatusOr<storage::Operation> ToOperation(const tarn::v1::TakeRequest& request) {
  return WithKey(request, OperationKind::kTake);
}

absl::StatusOr<storage::Operation> ToOperation(const tarn::v1::IncrementRequest& request) {
  TARN_ASSIGN_OR_RETURN(storage::Operation operation, WithKey(request, OperationKind::kAdd));
  operation.delta = request.delta();
  TARN_RETURN_IF_ERROR(SetTtl(request, &operation));
  return operation;
}

absl::StatusOr<storage::Operation> ToOperation(const tarn::v1::AppendRequest& request) {
  TARN_ASSIGN_OR_RETURN(storage::Operation operation, WithKey(request, OperationKind::kAppend));
  operation.value = request.suffix();
  TARN_RETURN_IF_ERROR(SetTtl(request, &operation));
  return operation;
}

absl::StatusOr<storage::Operation> ToOperation(const tarn::v1::TouchRequest& request) {
  TARN_ASSIGN_OR_RETURN(storage::Operation operation, WithKey(request, OperationKind::kTouch));
  TARN_RETURN_IF_ERROR(SetTtl(request, &operation));
  return operation;
}

void Fill(const storage::OperationResult& result, tarn::v1::GetResponse& response) {
  response.set_found(result.found);
  response.set_value(result.value.data(), result.value.size());
  response.set_revision(result.revision);
  response.set_expire_time_ms(result.deadline);
}

void Fill(const storage::OperationResult& result, tarn::v1::PutResponse& response) {
  response.set_found(result.found);
  response.set_revision(result.revision);
  response.set_expire_time_ms(result.deadline);
  response.set_replayed(result.replayed);
}

void Fill(const storage::OperationResult& result, tarn::v1::DeleteResponse& response) {
  response.set_found(result.found);
  response.set_revision(result.revision);
  response.set_replayed(result.replayed);
}

void Fill(const storage::OperationResult& result, tarn::v1::TakeResponse& response) {
  response.set_found(result.found);
  response.set_value(result.value.data(), result.value.size());
  response.set_revision(result.revision);
  response.set_replayed(result.replayed);
}

void Fill(const storage::OperationResult& result, tarn::v1::IncrementResponse& response) {
  response.set_found(result.found);
  response.set_revision(result.revision);
  response.set_expire_time_ms(result.deadline);
  response.set_number(result.number);
  response.set_replayed(result.replayed);
}

void Fill(const storage::OperationResult& result, tarn::v1::AppendResponse& response) {
  response.set_found(result.found);
  response.set_revision(result.revision);
  response.set_expire_time_ms(result.deadline);
  response.set_size_bytes(result.size);
  response.set_replayed(result.replayed);
}

void Fill(const storage::OperationResult& result, tarn::v1::TouchResponse& response) {
  response.set_found(result.found);
  response.set_revision(result.revision);
  response.set_expire_time_ms(result.deadline);
  response.set_replayed(result.replayed);
}

absl::StatusOr<storage::BatchMode> ToMode(tarn::v1::BatchMode mode) {
  switch (mode) {
    case tarn::v1::BATCH_MODE_ATOMIC:
      return storage::BatchMode::kAtomic;
    case tarn::v1::BATCH_MODE_INDEPENDENT:
      return storage::BatchMode::kIndependent;
    default:
      return InvalidField(Reason::kInvalidRequest, "mode",
                          "the batch's mode must be atomic or independent");
  }
}

std::optional<OperationKind> KindOf(const tarn::v1::Operation& message) {
  using Message = tarn::v1::Operation;
  switch (message.action_case()) {
    case Message::kGet:
      return OperationKind::kGet;
    case Message::kPut:
      return OperationKind::kPut;
    case Message::kDelete:
      return OperationKind::kDelete;
    case Message::kTake:
      return OperationKind::kTake;
    case Message::kIncrement:
      return OperationKind::kAdd;
    case Message::kAppend:
      return OperationKind::kAppend;
    case Message::kTouch:
      return OperationKind::kTouch;
    case Message::ACTION_NOT_SET:
      break;
  }
  return std::nullopt;
}

absl::Status SetOperation(const tarn::v1::Operation& message, storage::Operation& operation) {
  const std::optional<OperationKind> kind = KindOf(message);
  if (!kind) {
    return base::MakeError(absl::StatusCode::kInvalidArgument, Reason::kInvalidRequest,
                           "the operation has no action that this server knows");
  }
  operation.kind = *kind;
  TARN_RETURN_IF_ERROR(SetKey(message, &operation));
  return SetAction(message, &operation);
}

void FillResults(const storage::BatchResult& result,
                 absl::Span<const storage::Operation> operations,
                 absl::Span<const BadOperation> bad, const ErrorSite& site, WireResults& results) {
  results.Reserve(static_cast<int>(result.results.size() + bad.size()));
  for (size_t i = 0; i < result.results.size(); ++i) {
    for (; !bad.empty() && bad.front().index == static_cast<size_t>(results.size());
         bad.remove_prefix(1)) {
      FillBad(bad.front(), site, results);
    }
    const storage::OperationResult& one = result.results[i];
    if (one.status.ok()) {
      Fill(one, *results.Add());
    } else {
      FillFailed(one.status, site, &operations[i], results);
    }
  }
  for (const BadOperation& rest : bad) FillBad(rest, site, results);
}

OperationOutcome OutcomeOf(const storage::OperationResult& result) {
  if (result.status.ok()) return result.found ? OperationOutcome::kHit : OperationOutcome::kMiss;
  switch (base::ReasonOf(result.status)) {
    case Reason::kRevisionMismatch:
    case Reason::kAlreadyExists:
    case Reason::kKeyNotFound:
      return OperationOutcome::kPrecondition;
    default:
      return OperationOutcome::kFailed;
  }
}

uint64_t BytesOf(const storage::Operation& operation) {
  return operation.key.size() + operation.value.size();
}

uint64_t BytesOf(const storage::ScanChunk& chunk) {
  uint64_t bytes = 0;
  for (const storage::EntryView& entry : chunk.entries)
    bytes += entry.key.size() + entry.value.size();
  return bytes;
}

OperationTally TallyOf(const storage::BatchResult& result,
                       absl::Span<const storage::Operation> operations,
                       absl::Span<const BadOperation> bad) {
  OperationTally tally;
  for (size_t i = 0; i < operations.size(); ++i) {
    tally.bytes_in += BytesOf(operations[i]);
    if (i < result.results.size()) {
      tally.Count(operations[i].kind, OutcomeOf(result.results[i]));
      if (!result.results[i].status.ok())
        tally.errors.push_back(ReasonToTell(result.results[i].status));
      tally.bytes_out += result.results[i].value.size();
    } else {  // The batch failed as a whole.
      storage::OperationResult failed;
      failed.status = result.status;
      tally.Count(operations[i].kind, OutcomeOf(failed));
    }
  }
  for (const BadOperation& one : bad) {
    if (one.kind) tally.Count(*one.kind, OperationOutcome::kFailed);
    tally.errors.push_back(ReasonToTell(one.status));
  }
  return tally;
}

storage::KeyBounds ToBounds(const tarn::v1::KeyRange& range) {
  return {.prefix = range.prefix(), .start = range.start(), .end = range.end()};
}

absl::StatusOr<storage::ScanRequest> ToScanRequest(const tarn::v1::ScanRequest& request,
                                                   size_t max_chunk_bytes) {
  if (!tarn::v1::ScanOrder_IsValid(request.order())) {
    return InvalidField(Reason::kInvalidRequest, "order",
                        "the scan's order is not one that this server knows");
  }
  if (request.chunk_bytes() > max_chunk_bytes) {
    return InvalidField(Reason::kInvalidRequest, "chunk_bytes",
                        "chunk_bytes is above Limits.scan_chunk_bytes");
  }
  storage::ScanRequest scan;
  scan.ns = request.namespace_();
  scan.bounds = ToBounds(request.range());
  if (request.order() == tarn::v1::SCAN_ORDER_DESCENDING) {
    scan.options.direction = storage::ScanDirection::kDescending;
  }
  if (request.keys_only()) scan.options.content = storage::ScanContent::kKeysOnly;
  scan.limit = request.limit();
  scan.chunk_bytes = request.chunk_bytes() == 0 ? max_chunk_bytes : request.chunk_bytes();
  scan.resume_token = request.resume_token();
  return scan;
}

}  // namespace tarn::server
