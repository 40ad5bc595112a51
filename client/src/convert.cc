#include "client/src/convert.h"

#include <optional>
#include <utility>

#include "client/src/status_mapping.h"

namespace tarn::internal {
namespace {

// Proto says 0 for "never".
std::optional<Timestamp> ExpireTime(int64_t ms) {
  if (ms == 0) return std::nullopt;
  return Timestamp(std::chrono::milliseconds(ms));
}

template <typename Message>
void SetTtl(Ttl ttl, Message* out) {
  switch (ttl.kind()) {
    case Ttl::Kind::kDefault:
      return;
    case Ttl::Kind::kNever:
      out->mutable_ttl()->set_never(true);
      return;
    case Ttl::Kind::kDuration:
      out->mutable_ttl()->set_milliseconds(ttl.span().count());
      return;
  }
}

template <typename Message>
void SetPrecondition(Precondition precondition, Message* out) {
  switch (precondition.kind()) {
    case Precondition::Kind::kNone:
      return;
    case Precondition::Kind::kAbsent:
      out->mutable_precondition()->set_absent(true);
      return;
    case Precondition::Kind::kPresent:
      out->mutable_precondition()->set_present(true);
      return;
    case Precondition::Kind::kRevision:
      out->mutable_precondition()->set_revision(precondition.revision());
      return;
  }
}

void SetRange(KeyRange range, v1::KeyRange* out) {
  out->set_prefix(std::move(range.prefix));
  out->set_start(std::move(range.start));
  out->set_end(std::move(range.end));
}

// What the requests on one key have in common.
template <typename Request, typename Params>
Request KeyRequest(Params& params) {
  Request request;
  request.set_namespace_(std::move(params.ns));
  request.set_key(std::move(params.key));
  SetPrecondition(params.precondition, &request);
  if constexpr (requires { params.fence; }) SetFence(params.fence, &request);
  return request;
}

}  // namespace

v1::GetRequest ToRequest(GetParams params) { return KeyRequest<v1::GetRequest>(params); }
v1::DeleteRequest ToRequest(DeleteParams params) { return KeyRequest<v1::DeleteRequest>(params); }
v1::TakeRequest ToRequest(TakeParams params) { return KeyRequest<v1::TakeRequest>(params); }

v1::PutRequest ToRequest(PutParams params) {
  auto request = KeyRequest<v1::PutRequest>(params);
  request.set_value(std::move(params.value));
  SetTtl(params.ttl, &request);
  return request;
}

v1::IncrementRequest ToRequest(IncrementParams params) {
  auto request = KeyRequest<v1::IncrementRequest>(params);
  request.set_delta(params.delta);
  SetTtl(params.ttl, &request);
  return request;
}

v1::AppendRequest ToRequest(AppendParams params) {
  auto request = KeyRequest<v1::AppendRequest>(params);
  request.set_suffix(std::move(params.suffix));
  SetTtl(params.ttl, &request);
  return request;
}

v1::TouchRequest ToRequest(TouchParams params) {
  auto request = KeyRequest<v1::TouchRequest>(params);
  SetTtl(params.ttl, &request);
  return request;
}

v1::BatchRequest ToRequest(BatchParams params) {
  v1::BatchRequest request;
  request.set_namespace_(std::move(params.ns));
  request.set_mode(ToProto(params.batch.mode()));
  SetFence(params.fence, &request);
  std::vector<Operation> operations = std::move(params.batch).operations();
  request.mutable_operations()->Reserve(static_cast<int>(operations.size()));
  for (Operation& operation : operations) {
    FillOperation(std::move(operation), request.add_operations());
  }
  return request;
}

v1::CountRequest ToRequest(CountParams params) {
  v1::CountRequest request;
  request.set_namespace_(std::move(params.ns));
  if (!params.range.is_all()) SetRange(std::move(params.range), request.mutable_range());
  return request;
}

v1::DeleteRangeRequest ToRequest(DeleteRangeParams params) {
  v1::DeleteRangeRequest request;
  request.set_namespace_(std::move(params.ns));
  SetFence(params.fence, &request);
  if (params.range.has_value()) {
    SetRange(*std::move(params.range), request.mutable_range());
  } else {
    request.set_all(true);
  }
  return request;
}

v1::ScanRequest ToRequest(ScanParams params) {
  v1::ScanRequest request;
  request.set_namespace_(std::move(params.ns));
  if (!params.range.is_all()) SetRange(std::move(params.range), request.mutable_range());
  request.set_order(params.order == ScanOrder::kDescending ? v1::SCAN_ORDER_DESCENDING
                                                           : v1::SCAN_ORDER_ASCENDING);
  request.set_keys_only(params.content == ScanContent::kKeysOnly);
  request.set_limit(params.limit);
  request.set_resume_token(std::move(params.resume_token));
  request.set_chunk_bytes(params.chunk_bytes);
  return request;
}

GetResult FromResponse(v1::GetResponse response) {
  return {response.found(), std::move(*response.mutable_value()), response.revision(),
          ExpireTime(response.expire_time_ms())};
}

PutResult FromResponse(v1::PutResponse response) {
  return {response.found(), response.revision(), ExpireTime(response.expire_time_ms())};
}

DeleteResult FromResponse(v1::DeleteResponse response) {
  return {response.found(), response.revision()};
}

TakeResult FromResponse(v1::TakeResponse response) {
  return {response.found(), std::move(*response.mutable_value()), response.revision()};
}

IncrementResult FromResponse(v1::IncrementResponse response) {
  return {response.found(), response.number(), response.revision(),
          ExpireTime(response.expire_time_ms())};
}

AppendResult FromResponse(v1::AppendResponse response) {
  return {response.found(), response.size_bytes(), response.revision(),
          ExpireTime(response.expire_time_ms())};
}

TouchResult FromResponse(v1::TouchResponse response) {
  return {response.found(), response.revision(), ExpireTime(response.expire_time_ms())};
}

BatchResult FromResponse(v1::BatchResponse response) {
  BatchResult result;
  result.revision = response.revision();
  result.results.reserve(static_cast<size_t>(response.results_size()));
  for (v1::OperationResult& one : *response.mutable_results()) {
    result.results.push_back(TakeOperationResult(one));
  }
  return result;
}

CountResult FromResponse(v1::CountResponse response) {
  return {response.count(), response.revision()};
}

DeleteRangeResult FromResponse(v1::DeleteRangeResponse response) {
  return {response.deleted_count(), response.revision()};
}

ScanChunk TakeChunk(v1::ScanResponse& response) {
  ScanChunk chunk;
  chunk.revision = response.revision();
  chunk.resume_token = std::move(*response.mutable_resume_token());
  chunk.entries.reserve(static_cast<size_t>(response.entries_size()));
  for (v1::Entry& entry : *response.mutable_entries()) {
    chunk.entries.push_back({std::move(*entry.mutable_key()), std::move(*entry.mutable_value()),
                             entry.revision(), ExpireTime(entry.expire_time_ms())});
  }
  return chunk;
}

OperationResult TakeOperationResult(v1::OperationResult& result) {
  return {.status = result.has_status() ? FromProto(result.status()) : absl::OkStatus(),
          .found = result.found(),
          .value = std::move(*result.mutable_value()),
          .revision = result.revision(),
          .expire_time = ExpireTime(result.expire_time_ms()),
          .number = result.number(),
          .size_bytes = result.size_bytes()};
}

v1::BatchMode ToProto(BatchMode mode) {
  return mode == BatchMode::kAtomic ? v1::BATCH_MODE_ATOMIC : v1::BATCH_MODE_INDEPENDENT;
}

void FillOperation(Operation operation, v1::Operation* out) {
  out->set_key(std::move(operation.key));
  SetPrecondition(operation.precondition, out);
  switch (operation.kind) {
    case OperationKind::kGet:
      out->mutable_get();
      return;
    case OperationKind::kPut:
      out->mutable_put()->set_value(std::move(operation.value));
      SetTtl(operation.ttl, out->mutable_put());
      return;
    case OperationKind::kDelete:
      out->mutable_delete_();
      return;
    case OperationKind::kTake:
      out->mutable_take();
      return;
    case OperationKind::kIncrement:
      out->mutable_increment()->set_delta(operation.delta);
      SetTtl(operation.ttl, out->mutable_increment());
      return;
    case OperationKind::kAppend:
      out->mutable_append()->set_suffix(std::move(operation.value));
      SetTtl(operation.ttl, out->mutable_append());
      return;
    case OperationKind::kTouch:
      SetTtl(operation.ttl, out->mutable_touch());
      return;
  }
}

}  // namespace tarn::internal
