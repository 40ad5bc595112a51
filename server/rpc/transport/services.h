// gRPC's generated services, each method one line: which call, which function of ours.
#pragma once

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/health_service.h"
#include "server/rpc/reflection_service.h"
#include "server/rpc/state_service.h"
#include "server/rpc/transport/context.h"
#include "server/rpc/transport/methods.h"
#include "server/rpc/transport/stream.h"
#include "server/rpc/transport/unary.h"
#include "tarn/v1/admin.grpc.pb.h"
#include "tarn/v1/state.grpc.pb.h"
#include <grpcpp/grpcpp.h>

namespace tarn::server {

namespace internal {

// What the generated CallbackService is made of, except that the messages of the streams are bytes:
// StateService decodes and encodes them itself.
using State = tarn::v1::StateService;
using StreamMethods =
    State::WithRawCallbackMethod_Scan<State::WithRawCallbackMethod_Pipeline<State::Service>>;
using RangeMethods =
    State::WithCallbackMethod_Count<State::WithCallbackMethod_DeleteRange<StreamMethods>>;
using WriteMethods = State::WithCallbackMethod_Put<State::WithCallbackMethod_Delete<
    State::WithCallbackMethod_Take<State::WithCallbackMethod_Increment<
        State::WithCallbackMethod_Append<State::WithCallbackMethod_Touch<RangeMethods>>>>>>;
using StateMethods = State::WithCallbackMethod_Get<
    State::WithCallbackMethod_Batch<State::WithCallbackMethod_RegisterClient<WriteMethods>>>;

}  // namespace internal

class GrpcStateService final : public internal::StateMethods {
 public:
  GrpcStateService(const TransportContext& transport, StateService& service)
      : transport_(transport), service_(service) {}

 private:
  using Service = StateService;

  TARN_UNARY_METHOD(Get)
  TARN_UNARY_METHOD(Put)
  TARN_UNARY_METHOD(Delete)
  TARN_UNARY_METHOD(Take)
  TARN_UNARY_METHOD(Increment)
  TARN_UNARY_METHOD(Append)
  TARN_UNARY_METHOD(Touch)
  TARN_UNARY_METHOD(Batch)
  TARN_UNARY_METHOD(RegisterClient)
  TARN_UNARY_METHOD(Count)
  TARN_UNARY_METHOD(DeleteRange)

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Scan(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request) override {
    return ServeResponses(transport_, Rpc::kScan, context, request, service_, &Service::Scan);
  }
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Pipeline(
      grpc::CallbackServerContext* context) override {
    return ServeDuplex(transport_, Rpc::kPipeline, context, service_, &Service::Pipeline);
  }

  const TransportContext& transport_;
  Service& service_;
};

class GrpcAdminService final : public tarn::v1::AdminService::CallbackService {
 public:
  GrpcAdminService(const TransportContext& transport, AdminService& service)
      : transport_(transport), service_(service) {}

 private:
  using Service = AdminService;

  TARN_UNARY_METHOD(GetServerInfo)
  TARN_UNARY_METHOD(GetStats)
  TARN_UNARY_METHOD(CreateNamespace)
  TARN_UNARY_METHOD(GetNamespace)
  TARN_UNARY_METHOD(ListNamespaces)
  TARN_UNARY_METHOD(UpdateNamespace)
  TARN_UNARY_METHOD(DeleteNamespace)

  const TransportContext& transport_;
  Service& service_;
};

class GrpcHealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  using Request = grpc::health::v1::HealthCheckRequest;
  using Response = grpc::health::v1::HealthCheckResponse;

  GrpcHealthService(const TransportContext& transport, HealthService& service)
      : transport_(transport), service_(service) {}

 private:
  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const Request* request,
                                  Response* response) override {
    return ServeUnary(transport_, Rpc::kHealthCheck, context, request, response, service_,
                      &HealthService::Check);
  }
  grpc::ServerWriteReactor<Response>* Watch(grpc::CallbackServerContext* context,
                                            const Request* request) override {
    return ServeResponses(transport_, Rpc::kHealthWatch, context, request, service_,
                          &HealthService::Watch);
  }

  const TransportContext& transport_;
  HealthService& service_;
};

class GrpcReflectionService final
    : public grpc::reflection::v1alpha::ServerReflection::CallbackService {
 public:
  GrpcReflectionService(const TransportContext& transport, ReflectionService& service)
      : transport_(transport), service_(service) {}

 private:
  grpc::ServerBidiReactor<ReflectionService::Request, ReflectionService::Response>*
  ServerReflectionInfo(grpc::CallbackServerContext* context) override {
    return ServeDuplex(transport_, Rpc::kReflection, context, service_, &ReflectionService::Info);
  }

  const TransportContext& transport_;
  ReflectionService& service_;
};

}  // namespace tarn::server
