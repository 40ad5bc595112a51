// The one way in which streaming calls come in from gRPC and go out again.
#pragma once

#include <memory>
#include <utility>

#include "server/rpc/call.h"
#include "server/rpc/transport/context.h"
#include "server/rpc/transport/patience.h"
#include "server/rpc/transport/peer.h"
#include "server/rpc/transport/status.h"
#include "server/rpc/transport/wire.h"
#include <grpcpp/grpcpp.h>

namespace tarn::server {

// Joins gRPC's reactor (what it tells) to a service's stream (what it is told). Keeps itself alive
// until gRPC is done with it.
template <typename Reactor, typename Stream>
class GrpcStream : public Reactor, public Stream, public DrainableStream {
 public:
  GrpcStream(const TransportContext& transport, Rpc rpc, grpc::CallbackServerContext& context)
      : transport_(transport), timer_(transport, rpc), context_(context) {}

  // The handler's first move. gRPC keeps what is begun before its method handler has returned.
  void Begin(std::shared_ptr<GrpcStream> self, std::unique_ptr<StreamHandler> handler) {
    handler_ = std::move(handler);
    position_ = transport_.streams.Add(self);
    self_ = std::move(self);
    handler_->Start();
  }

  Peer peer() const override { return PeerOf(context_); }
  bool Cancelled() const override { return context_.IsCancelled(); }
  int64_t PatienceMs() const override { return PatienceOf(context_); }

  void Finish() override { End(grpc::Status::OK); }
  void Fail(const google::rpc::Status& error) override {
    timer_.CountError(error);
    End(ToGrpc(error));
  }

  void OnCancel() override { handler_->OnCancelled(); }
  void Drain() override { handler_->OnDrain(); }

  void OnDone() override {
    timer_.Stop(code_);
    transport_.streams.Remove(position_);
    self_.reset();  // May destroy this.
  }

 protected:
  static StreamHandler::Outcome OutcomeOf(bool ok) {
    return ok ? StreamHandler::Outcome::kDone : StreamHandler::Outcome::kFailed;
  }

  StreamHandler& handler() { return *handler_; }

 private:
  void End(const grpc::Status& status) {
    code_ = context_.IsCancelled() ? grpc::StatusCode::CANCELLED : status.error_code();
    Reactor::Finish(status);
  }

  const TransportContext& transport_;
  const CallTimer timer_;
  grpc::CallbackServerContext& context_;
  std::unique_ptr<StreamHandler> handler_;
  std::shared_ptr<GrpcStream> self_;
  StreamRegistry::Position position_;
  int code_ = grpc::StatusCode::OK;
};

// With a sending half.
template <typename Reactor, typename Stream, typename Response>
class GrpcSendingStream : public GrpcStream<Reactor, Stream> {
 public:
  using Base = GrpcStream<Reactor, Stream>;
  using Base::Base;

  void Write(const Response& response) override { Reactor::StartWrite(outbox_.Put(response)); }
  void OnWriteDone(bool ok) override { this->handler().OnWritten(Base::OutcomeOf(ok)); }

 private:
  Outbox<Response> outbox_;
};

template <typename Response>
using GrpcWriteReactor = grpc::ServerWriteReactor<typename Outbox<Response>::Wire>;

template <typename Request, typename Response>
using GrpcBidiReactor =
    grpc::ServerBidiReactor<typename Inbox<Request>::Wire, typename Outbox<Response>::Wire>;

template <typename Response>
class GrpcResponseStream final
    : public GrpcSendingStream<GrpcWriteReactor<Response>, ResponseStream<Response>, Response> {
 public:
  using Base = GrpcSendingStream<GrpcWriteReactor<Response>, ResponseStream<Response>, Response>;
  using Base::Base;
};

template <typename Request, typename Response>
class GrpcDuplexStream final : public GrpcSendingStream<GrpcBidiReactor<Request, Response>,
                                                        DuplexStream<Request, Response>, Response> {
 public:
  using Base = GrpcSendingStream<GrpcBidiReactor<Request, Response>,
                                 DuplexStream<Request, Response>, Response>;
  using Base::Base;

  void Read(Request& request) override { this->StartRead(inbox_.Wanted(request)); }
  void OnReadDone(bool ok) override {
    if (ok) inbox_.Arrived();
    this->handler().OnRead(Base::OutcomeOf(ok));
  }

 private:
  Inbox<Request> inbox_;
};

template <typename Request, typename Response>
class GrpcRequestStream final
    : public GrpcStream<grpc::ServerReadReactor<Request>, RequestStream<Request, Response>> {
 public:
  using Base = GrpcStream<grpc::ServerReadReactor<Request>, RequestStream<Request, Response>>;

  GrpcRequestStream(const TransportContext& transport, Rpc rpc,
                    grpc::CallbackServerContext& context, Response& response)
      : Base(transport, rpc, context), response_(response) {}

  void Read(Request& request) override { this->StartRead(&request); }
  void OnReadDone(bool ok) override { this->handler().OnRead(Base::OutcomeOf(ok)); }
  Response& response() override { return response_; }

 private:
  Response& response_;
};

// Hands a call of one request and many responses to a service's method.
template <typename Request, typename Response, typename Service>
GrpcWriteReactor<Response>* ServeResponses(
    const TransportContext& transport, Rpc rpc, grpc::CallbackServerContext* context,
    const typename Inbox<Request>::Wire* request, Service& service,
    std::unique_ptr<StreamHandler> (Service::*method)(const Request&, ResponseStream<Response>&)) {
  auto stream = std::make_shared<GrpcResponseStream<Response>>(transport, rpc, *context);
  auto* reactor = stream.get();
  reactor->Begin(std::move(stream), (service.*method)(Inbox<Request>::Open(*request), *reactor));
  return reactor;
}

// Hands a call of many requests and one response to a service's method.
template <typename Request, typename Response, typename Service>
grpc::ServerReadReactor<Request>* ServeRequests(
    const TransportContext& transport, Rpc rpc, grpc::CallbackServerContext* context,
    Response* response, Service& service,
    std::unique_ptr<StreamHandler> (Service::*method)(RequestStream<Request, Response>&)) {
  auto stream =
      std::make_shared<GrpcRequestStream<Request, Response>>(transport, rpc, *context, *response);
  auto* reactor = stream.get();
  reactor->Begin(std::move(stream), (service.*method)(*reactor));
  return reactor;
}

// Hands a call of many requests and many responses to a service's method.
template <typename Request, typename Response, typename Service>
GrpcBidiReactor<Request, Response>* ServeDuplex(
    const TransportContext& transport, Rpc rpc, grpc::CallbackServerContext* context,
    Service& service,
    std::unique_ptr<StreamHandler> (Service::*method)(DuplexStream<Request, Response>&)) {
  auto stream = std::make_shared<GrpcDuplexStream<Request, Response>>(transport, rpc, *context);
  auto* reactor = stream.get();
  reactor->Begin(std::move(stream), (service.*method)(*reactor));
  return reactor;
}

}  // namespace tarn::server
