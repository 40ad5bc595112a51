// A method of a service of gRPC's is one line: these make it from its name. Inside a class that has
// `transport_`, `service_` and `Service`.
#pragma once

#include "server/rpc/transport/stream.h"
#include "server/rpc/transport/unary.h"
#include <grpcpp/grpcpp.h>

#define TARN_UNARY_METHOD(Method)                                                       \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,                \
                                   const tarn::v1::Method##Request* request,            \
                                   tarn::v1::Method##Response* response) override {     \
    return ServeUnary(transport_, Rpc::k##Method, context, request, response, service_, \
                      &Service::Method);                                                \
  }

#define TARN_RESPONSES_METHOD(Method)                                                            \
  grpc::ServerWriteReactor<tarn::v1::Method##Response>* Method(                                  \
      grpc::CallbackServerContext* context, const tarn::v1::Method##Request* request) override { \
    return ServeResponses(transport_, Rpc::k##Method, context, request, service_,                \
                          &Service::Method);                                                     \
  }
