// Between libtarn's structs and the messages of state.proto: the only place that knows both.
// Strings are moved.
#pragma once

#include "tarn/connection.h"
#include "tarn/v1/batch.pb.h"
#include "tarn/v1/state.pb.h"

namespace tarn::internal {

v1::GetRequest ToRequest(GetParams params);
v1::PutRequest ToRequest(PutParams params);
v1::DeleteRequest ToRequest(DeleteParams params);
v1::TakeRequest ToRequest(TakeParams params);
v1::IncrementRequest ToRequest(IncrementParams params);
v1::AppendRequest ToRequest(AppendParams params);
v1::TouchRequest ToRequest(TouchParams params);
v1::BatchRequest ToRequest(BatchParams params);
v1::CountRequest ToRequest(CountParams params);
v1::DeleteRangeRequest ToRequest(DeleteRangeParams params);
v1::ScanRequest ToRequest(ScanParams params);

GetResult FromResponse(v1::GetResponse response);
PutResult FromResponse(v1::PutResponse response);
DeleteResult FromResponse(v1::DeleteResponse response);
TakeResult FromResponse(v1::TakeResponse response);
IncrementResult FromResponse(v1::IncrementResponse response);
AppendResult FromResponse(v1::AppendResponse response);
TouchResult FromResponse(v1::TouchResponse response);
BatchResult FromResponse(v1::BatchResponse response);
CountResult FromResponse(v1::CountResponse response);
DeleteRangeResult FromResponse(v1::DeleteRangeResponse response);

// Leaves the strings of the message empty.
ScanChunk TakeChunk(v1::ScanResponse& response);
OperationResult TakeOperationResult(v1::OperationResult& result);

// What a message of a write says of its fence.
template <typename Message>
void SetFence(const WriteFence& fence, Message* out) {
  if (fence.token != 0) {
    out->mutable_fence()->set_lock(fence.lock);
    out->mutable_fence()->set_token(fence.token);
  }
  if (fence.epoch != 0) {
    out->mutable_group_epoch()->set_group(fence.group);
    out->mutable_group_epoch()->set_epoch(fence.epoch);
  }
}

v1::BatchMode ToProto(BatchMode mode);
void FillOperation(Operation operation, v1::Operation* out);

}  // namespace tarn::internal
