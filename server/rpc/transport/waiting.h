// As unary.h, for calls that may wait for long.
#pragma once

#include <utility>

#include "absl/functional/any_invocable.h"
#include "server/rpc/call.h"
#include "server/rpc/transport/context.h"
#include "server/rpc/transport/peer.h"
#include "server/rpc/transport/status.h"
#include <grpcpp/grpcpp.h>

namespace tarn::server {

// Owns itself until gRPC is done with it, which is after the call was ended and after OnCancel has
// returned.
template <typename Request, typename Response>
class GrpcWaitingCall final : public grpc::ServerUnaryReactor,
                              public WaitingCall<Request, Response> {
 public:
  GrpcWaitingCall(const TransportContext& transport, Rpc rpc, grpc::CallbackServerContext& context,
                  const Request& request, Response& response)
      : WaitingCall<Request, Response>(request, response),
        timer_(transport, rpc),
        context_(context) {}

  Peer peer() const override { return PeerOf(context_); }
  bool Cancelled() const override { return context_.IsCancelled(); }
  void WhenGone(absl::AnyInvocable<void()> gone) override { gone_ = std::move(gone); }

  void Finish() override { End(grpc::Status::OK); }
  void Fail(const google::rpc::Status& error) override {
    timer_.CountError(error);
    End(ToGrpc(error));
  }

  // Not before the service's function has returned.
  void OnCancel() override {
    if (gone_) gone_();
  }
  void OnDone() override { delete this; }

 private:
  void End(const grpc::Status& status) {
    timer_.Stop(status.error_code());
    grpc::ServerUnaryReactor::Finish(status);
  }

  const CallTimer timer_;
  grpc::CallbackServerContext& context_;
  absl::AnyInvocable<void()> gone_;
};

// Hands one call to a service's method. What gRPC's method handler has to return.
template <typename Request, typename Response, typename Service>
grpc::ServerUnaryReactor* ServeWaiting(const TransportContext& transport, Rpc rpc,
                                       grpc::CallbackServerContext* context, const Request* request,
                                       Response* response, Service& service,
                                       void (Service::*method)(WaitingCall<Request, Response>&)) {
  auto* call =
      new GrpcWaitingCall<Request, Response>(transport, rpc, *context, *request, *response);
  (service.*method)(*call);
  return call;
}

}  // namespace tarn::server
