#include "server/rpc/pipeline_codec.h"

#include <optional>

#include "server/rpc/wire_writer.h"
#include "storage/base/coding.h"

namespace tarn::server {
namespace {

using tarn::v1::OperationResult;
using tarn::v1::PipelineResponse;

// Tags: the field's number << 3 | its wire type.
constexpr char kVarint = 0;
constexpr char kLengthDelimited = 2;
constexpr char Tag(int field, char type) { return static_cast<char>(field << 3 | type); }

using Request = tarn::v1::PipelineRequest;
constexpr char kBatchId = Tag(Request::kBatchIdFieldNumber, kVarint);
constexpr char kNamespace = Tag(Request::kNamespaceFieldNumber, kLengthDelimited);
constexpr char kMode = Tag(Request::kModeFieldNumber, kVarint);
constexpr char kOperations = Tag(Request::kOperationsFieldNumber, kLengthDelimited);

using Operation = tarn::v1::Operation;
constexpr char kKey = Tag(Operation::kKeyFieldNumber, kLengthDelimited);
constexpr char kGet = Tag(Operation::kGetFieldNumber, kLengthDelimited);
constexpr char kPut = Tag(Operation::kPutFieldNumber, kLengthDelimited);
constexpr char kDelete = Tag(Operation::kDeleteFieldNumber, kLengthDelimited);
constexpr char kTake = Tag(Operation::kTakeFieldNumber, kLengthDelimited);
constexpr char kPutValue = Tag(Operation::Put::kValueFieldNumber, kLengthDelimited);

// The bytes of the one field `tag` that makes up all of `bytes`.
std::optional<absl::string_view> OnlyField(char tag, absl::string_view bytes) {
  if (bytes.empty()) return bytes;  // Left out: empty.
  if (bytes.front() != tag) return std::nullopt;
  bytes.remove_prefix(1);
  const std::optional<absl::string_view> field = base::ConsumeLengthPrefixed(&bytes);
  return bytes.empty() ? field : std::nullopt;
}

bool SetPlainAction(char tag, absl::string_view body, storage::Operation& operation) {
  switch (tag) {
    case kPut: {
      const std::optional<absl::string_view> value = OnlyField(kPutValue, body);
      operation.kind = storage::OperationKind::kPut;
      operation.value = value.value_or("");
      return value.has_value();
    }
    case kGet:
      operation.kind = storage::OperationKind::kGet;
      return body.empty();
    case kDelete:
      operation.kind = storage::OperationKind::kDelete;
      return body.empty();
    case kTake:
      operation.kind = storage::OperationKind::kTake;
      return body.empty();
    default:
      return false;
  }
}

size_t SizeOf(const storage::OperationResult& result) {
  return WireSize::Number(result.found ? 1 : 0) + WireSize::Bytes(result.value.size()) +
         WireSize::Number(result.revision) +
         WireSize::Number(static_cast<uint64_t>(result.deadline)) +
         WireSize::Number(static_cast<uint64_t>(result.number)) + WireSize::Number(result.size);
}

void Write(const storage::OperationResult& result, WireWriter& writer) {
  writer.Number(OperationResult::kFoundFieldNumber, result.found ? 1 : 0);
  writer.Bytes(OperationResult::kValueFieldNumber, result.value);
  writer.Number(OperationResult::kRevisionFieldNumber, result.revision);
  writer.Number(OperationResult::kExpireTimeMsFieldNumber, static_cast<uint64_t>(result.deadline));
  writer.Number(OperationResult::kNumberFieldNumber, static_cast<uint64_t>(result.number));
  writer.Number(OperationResult::kSizeBytesFieldNumber, result.size);
}

}  // namespace

bool PipelineRequestView::Parse(absl::string_view bytes) {
  if (ParseUsual(bytes)) return true;
  // Fields of a newer client, or another way to write the same: without them, in the usual way.
  Request request;
  const bool understood = request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  request.DiscardUnknownFields();
  normalised_ = request.SerializeAsString();
  if (understood) return ParseUsual(normalised_);
  Clear();
  batch_id_ = request.batch_id();
  return false;
}

void PipelineRequestView::Clear() {
  batch_id_ = 0;
  ns_ = {};
  mode_ = tarn::v1::BATCH_MODE_UNSPECIFIED;
  operations_.clear();
}

bool PipelineRequestView::ParseUsual(absl::string_view bytes) {
  Clear();
  while (!bytes.empty()) {
    if (!ParseField(&bytes)) return false;
  }
  return true;
}

bool PipelineRequestView::ParseField(absl::string_view* bytes) {
  const char tag = bytes->front();
  bytes->remove_prefix(1);
  if (tag == kOperations || tag == kNamespace) {
    const std::optional<absl::string_view> field = base::ConsumeLengthPrefixed(bytes);
    if (!field) return false;
    tag == kOperations ? operations_.push_back(*field) : void(ns_ = *field);
    return true;
  }
  if (tag != kBatchId && tag != kMode) return false;
  const std::optional<uint64_t> number = base::ConsumeVarint64(bytes);
  if (!number) return false;
  tag == kBatchId ? void(batch_id_ = *number)
                  : void(mode_ = static_cast<tarn::v1::BatchMode>(static_cast<int32_t>(*number)));
  return true;
}

bool DecodePlainOperation(absl::string_view bytes, storage::Operation& operation) {
  if (bytes.empty() || bytes.front() != kKey) return false;
  bytes.remove_prefix(1);
  const std::optional<absl::string_view> key = base::ConsumeLengthPrefixed(&bytes);
  if (!key || bytes.empty()) return false;
  const char tag = bytes.front();
  bytes.remove_prefix(1);
  const std::optional<absl::string_view> body = base::ConsumeLengthPrefixed(&bytes);
  if (!body || !bytes.empty()) return false;
  operation.key = *key;
  return SetPlainAction(tag, *body, operation);
}

EncodedMessage EncodePipelineResponse(uint64_t batch_id, const storage::BatchResult& result) {
  size_t size = WireSize::Number(batch_id) + WireSize::Number(result.revision);
  for (const storage::OperationResult& one : result.results) size += WireSize::Nested(SizeOf(one));
  WireWriter writer(size);
  writer.Number(PipelineResponse::kBatchIdFieldNumber, batch_id);
  for (const storage::OperationResult& one : result.results) {
    writer.Nested(PipelineResponse::kResultsFieldNumber, SizeOf(one));
    Write(one, writer);
  }
  writer.Number(PipelineResponse::kRevisionFieldNumber, result.revision);
  return std::move(writer).Take();
}

}  // namespace tarn::server
