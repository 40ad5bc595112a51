// The one way in which unary calls come in from gRPC and go out again.
#pragma once

#include <memory>

#include "server/rpc/call.h"
#include "server/rpc/transport/context.h"
#include "server/rpc/transport/patience.h"
#include "server/rpc/transport/peer.h"
#include "server/rpc/transport/status.h"
#include <grpcpp/grpcpp.h>

namespace tarn::server {

// Owns itself until it is ended. The service may do that before gRPC's method handler has returned.
template <typename Request, typename Response>
class GrpcUnaryCall final : public UnaryCall<Request, Response> {
 public:
  // `reactor` is the context's default one, which can be asked for only once.
  GrpcUnaryCall(const TransportContext& transport, Rpc rpc, grpc::CallbackServerContext& context,
                grpc::ServerUnaryReactor& reactor, const Request& request, Response& response)
      : UnaryCall<Request, Response>(request, response),
        timer_(transport, rpc),
        context_(context),
        reactor_(reactor) {}

  Peer peer() const override { return PeerOf(context_); }
  bool Cancelled() const override { return context_.IsCancelled(); }
  int64_t PatienceMs() const override { return PatienceOf(context_); }

  void Finish() override { End(grpc::Status::OK); }
  void Fail(const google::rpc::Status& error) override {
    timer_.CountError(error);
    End(ToGrpc(error));
  }

 private:
  void End(const grpc::Status& status) {
    const std::unique_ptr<GrpcUnaryCall> self(this);
    timer_.Stop(status.error_code());
    reactor_.Finish(status);
  }

  const CallTimer timer_;
  grpc::CallbackServerContext& context_;
  grpc::ServerUnaryReactor& reactor_;
};

// Hands one call to a service's method. What gRPC's method handler has to return.
template <typename Request, typename Response, typename Service>
grpc::ServerUnaryReactor* ServeUnary(const TransportContext& transport, Rpc rpc,
                                     grpc::CallbackServerContext* context, const Request* request,
                                     Response* response, Service& service,
                                     void (Service::*method)(UnaryCall<Request, Response>&)) {
  // Asked for first: the call may be over by the time the method returns.
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  auto call = std::make_unique<GrpcUnaryCall<Request, Response>>(transport, rpc, *context, *reactor,
                                                                 *request, *response);
  (service.*method)(*call.release());
  return reactor;
}

}  // namespace tarn::server
