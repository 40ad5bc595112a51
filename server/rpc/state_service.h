// StateService: what each call of tarn/v1/state.proto does.
#pragma once

#include <memory>

#include "server/metrics/counters.h"
#include "server/rpc/call.h"
#include "server/rpc/encoded_message.h"
#include "server/rpc/gate.h"
#include "server/rpc/server_limits.h"
#include "tarn/v1/state.pb.h"

namespace tarn::server {

// Thread-safe; runs on the transport's threads and never blocks them. Gate and counters outlive it,
// and it outlives the calls. Every function ends its call, sooner or later.
class StateService {
 public:
  StateService(Gate& gate, Counters& counters, const ServerLimits& limits)
      : gate_(gate), counters_(counters), limits_(limits) {}

  void Get(UnaryCall<tarn::v1::GetRequest, tarn::v1::GetResponse>& call);
  void Put(UnaryCall<tarn::v1::PutRequest, tarn::v1::PutResponse>& call);
  void Delete(UnaryCall<tarn::v1::DeleteRequest, tarn::v1::DeleteResponse>& call);
  void Take(UnaryCall<tarn::v1::TakeRequest, tarn::v1::TakeResponse>& call);
  void Increment(UnaryCall<tarn::v1::IncrementRequest, tarn::v1::IncrementResponse>& call);
  void Append(UnaryCall<tarn::v1::AppendRequest, tarn::v1::AppendResponse>& call);
  void Touch(UnaryCall<tarn::v1::TouchRequest, tarn::v1::TouchResponse>& call);

  void Batch(UnaryCall<tarn::v1::BatchRequest, tarn::v1::BatchResponse>& call);
  void RegisterClient(
      UnaryCall<tarn::v1::RegisterClientRequest, tarn::v1::RegisterClientResponse>& call);
  void Count(UnaryCall<tarn::v1::CountRequest, tarn::v1::CountResponse>& call);
  void DeleteRange(UnaryCall<tarn::v1::DeleteRangeRequest, tarn::v1::DeleteRangeResponse>& call);

  // Messages: ScanRequest and ScanResponse.
  std::unique_ptr<StreamHandler> Scan(const EncodedMessage& request,
                                      ResponseStream<EncodedMessage>& stream);
  // Messages: PipelineRequest and PipelineResponse.
  std::unique_ptr<StreamHandler> Pipeline(DuplexStream<EncodedMessage, EncodedMessage>& stream);

 private:
  template <typename Request, typename Response>
  void RunOne(UnaryCall<Request, Response>& call);
  template <typename Request, typename Response>
  void FinishOne(UnaryCall<Request, Response>& call, const storage::BatchResult& result);

  // The store; null when the call has been refused.
  template <typename Request, typename Response>
  storage::Store* Admit(UnaryCall<Request, Response>& call);

  Gate& gate_;
  Counters& counters_;
  const ServerLimits limits_;
};

}  // namespace tarn::server
