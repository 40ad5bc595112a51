#include "server/rpc/pipeline_codec.h"

#include <algorithm>
#include <optional>

#include "server/rpc/wire_reader.h"
#include "server/rpc/wire_writer.h"

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

// Tags of two bytes: of fields that few requests have.
constexpr uint64_t RareTag(int field, char type) {
  return static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(type);
}
constexpr uint64_t kFence = RareTag(Request::kFenceFieldNumber, kLengthDelimited);
constexpr uint64_t kClientId = RareTag(Request::kClientIdFieldNumber, kVarint);
constexpr uint64_t kRequestId = RareTag(Request::kRequestIdFieldNumber, kVarint);
constexpr uint64_t kGroupEpoch = RareTag(Request::kGroupEpochFieldNumber, kLengthDelimited);

// Fence and GroupEpoch have the same form.
constexpr char kFenceName = Tag(tarn::v1::Fence::kLockFieldNumber, kLengthDelimited);
constexpr char kFenceToken = Tag(tarn::v1::Fence::kTokenFieldNumber, kVarint);
static_assert(+tarn::v1::Fence::kLockFieldNumber == +tarn::v1::GroupEpoch::kGroupFieldNumber);
static_assert(+tarn::v1::Fence::kTokenFieldNumber == +tarn::v1::GroupEpoch::kEpochFieldNumber);

using Operation = tarn::v1::Operation;
constexpr char kKey = Tag(Operation::kKeyFieldNumber, kLengthDelimited);
constexpr char kGet = Tag(Operation::kGetFieldNumber, kLengthDelimited);
constexpr char kPut = Tag(Operation::kPutFieldNumber, kLengthDelimited);
constexpr char kDelete = Tag(Operation::kDeleteFieldNumber, kLengthDelimited);
constexpr char kTake = Tag(Operation::kTakeFieldNumber, kLengthDelimited);
constexpr char kPutValue = Tag(Operation::Put::kValueFieldNumber, kLengthDelimited);

bool IsAscii(absl::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
}

std::optional<storage::FencingToken> ParseFencingToken(absl::string_view bytes) {
  storage::FencingToken token;
  WireReader reader(bytes);
  while (!reader.AtEnd()) {
    const char tag = reader.TakeFront();
    if (tag == kFenceName) {
      token.name = reader.Bytes();
    } else if (tag == kFenceToken) {
      token.token = reader.Varint();
    } else {
      return std::nullopt;
    }
  }
  if (!reader.ok()) return std::nullopt;
  return token;
}

// The only field of a put that is decoded here. Left out: empty.
bool SetPutValue(absl::string_view body, storage::Operation& operation) {
  operation.value = {};
  if (body.empty()) return true;
  WireReader reader(body);
  if (reader.TakeFront() != kPutValue) return false;
  operation.value = reader.Bytes();
  return reader.ok() && reader.AtEnd();
}

bool SetPlainAction(char tag, absl::string_view body, storage::Operation& operation) {
  switch (tag) {
    case kPut:
      operation.kind = storage::OperationKind::kPut;
      return SetPutValue(body, operation);
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
         WireSize::Number(static_cast<uint64_t>(result.number)) + WireSize::Number(result.size) +
         WireSize::Number(result.replayed ? 1 : 0);
}

void Write(const storage::OperationResult& result, WireWriter& writer) {
  writer.Number(OperationResult::kFoundFieldNumber, result.found ? 1 : 0);
  writer.Bytes(OperationResult::kValueFieldNumber, result.value);
  writer.Number(OperationResult::kRevisionFieldNumber, result.revision);
  writer.Number(OperationResult::kExpireTimeMsFieldNumber, static_cast<uint64_t>(result.deadline));
  writer.Number(OperationResult::kNumberFieldNumber, static_cast<uint64_t>(result.number));
  writer.Number(OperationResult::kSizeBytesFieldNumber, result.size);
  writer.Number(OperationResult::kReplayedFieldNumber, result.replayed ? 1 : 0);
}

}  // namespace

bool PipelineRequestView::Parse(absl::string_view bytes) {
  if (ParseUsual(bytes, Strings::kUnchecked)) return true;
  // Fields of a newer client, or another way to write the same: without them, in the usual way.
  Request request;
  const bool understood = request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  request.DiscardUnknownFields();
  normalised_ = request.SerializeAsString();
  if (understood) return ParseUsual(normalised_, Strings::kChecked);
  Clear();
  batch_id_ = request.batch_id();
  return false;
}

void PipelineRequestView::Clear() {
  batch_id_ = 0;
  ns_ = {};
  mode_ = tarn::v1::BATCH_MODE_UNSPECIFIED;
  operations_.clear();
  fence_ = {};
  id_ = {};
}

bool PipelineRequestView::ParseUsual(absl::string_view bytes, Strings strings) {
  Clear();
  WireReader reader(bytes);
  while (!reader.AtEnd()) {
    if (!ParseField(reader, strings)) return false;
  }
  return reader.ok();
}

bool PipelineRequestView::ParseField(WireReader& reader, Strings strings) {
  switch (reader.front()) {
    case kOperations:
      reader.TakeFront();
      operations_.push_back(reader.Bytes());
      return true;
    case kNamespace:
      reader.TakeFront();
      ns_ = reader.Bytes();
      return true;
    case kBatchId:
      reader.TakeFront();
      batch_id_ = reader.Varint();
      return true;
    case kMode:
      reader.TakeFront();
      mode_ = static_cast<tarn::v1::BatchMode>(static_cast<int32_t>(reader.Varint()));
      return true;
    default:
      return ParseRareField(reader, strings);
  }
}

bool PipelineRequestView::ParseRareField(WireReader& reader, Strings strings) {
  const uint64_t tag = reader.Varint();
  if (tag == kClientId || tag == kRequestId) {
    (tag == kClientId ? id_.client : id_.request) = reader.Varint();
    return true;
  }
  if (tag != kFence && tag != kGroupEpoch) return false;
  const std::optional<storage::FencingToken> token = ParseFencingToken(reader.Bytes());
  if (!token || (strings == Strings::kUnchecked && !IsAscii(token->name))) return false;
  std::optional<storage::FencingToken>& target = tag == kFence ? fence_.lock : fence_.group;
  if (target) return false;  // Twice: to be merged.
  target = token;
  return true;
}

bool DecodePlainOperation(absl::string_view bytes, storage::Operation& operation) {
  WireReader reader(bytes);
  if (reader.AtEnd() || reader.TakeFront() != kKey) return false;
  operation.key = reader.Bytes();
  if (reader.AtEnd()) return false;
  const char tag = reader.TakeFront();
  const absl::string_view body = reader.Bytes();
  return reader.ok() && reader.AtEnd() && SetPlainAction(tag, body, operation);
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
