// As services.h, for checkpoints and jobs.
#pragma once

#include "server/rpc/checkpoint_service.h"
#include "server/rpc/job_service.h"
#include "server/rpc/transport/context.h"
#include "server/rpc/transport/stream.h"
#include "server/rpc/transport/unary.h"
#include "tarn/v1/checkpoint.grpc.pb.h"
#include "tarn/v1/job.grpc.pb.h"
#include <grpcpp/grpcpp.h>

namespace tarn::server {

#define TARN_UNARY(Method)                                                              \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,                \
                                   const tarn::v1::Method##Request* request,            \
                                   tarn::v1::Method##Response* response) override {     \
    return ServeUnary(transport_, Rpc::k##Method, context, request, response, service_, \
                      &Service::Method);                                                \
  }

#define TARN_RESPONSES(Method)                                                                   \
  grpc::ServerWriteReactor<tarn::v1::Method##Response>* Method(                                  \
      grpc::CallbackServerContext* context, const tarn::v1::Method##Request* request) override { \
    return ServeResponses(transport_, Rpc::k##Method, context, request, service_,                \
                          &Service::Method);                                                     \
  }

class GrpcCheckpointService final : public tarn::v1::CheckpointService::CallbackService {
 public:
  GrpcCheckpointService(const TransportContext& transport, CheckpointService& service)
      : transport_(transport), service_(service) {}

 private:
  using Service = CheckpointService;

  TARN_UNARY(CreateCheckpoint)
  TARN_UNARY(GetCheckpoint)
  TARN_UNARY(ListCheckpoints)
  TARN_UNARY(VerifyCheckpoint)
  TARN_UNARY(DeleteCheckpoint)
  TARN_UNARY(PinCheckpoint)
  TARN_UNARY(UnpinCheckpoint)
  TARN_UNARY(RestoreCheckpoint)
  TARN_UNARY(GetCheckpointEntry)
  TARN_RESPONSES(DiffCheckpoints)
  TARN_RESPONSES(ExportCheckpoint)

  grpc::ServerReadReactor<tarn::v1::ImportCheckpointRequest>* ImportCheckpoint(
      grpc::CallbackServerContext* context, tarn::v1::ImportCheckpointResponse* response) override {
    return ServeRequests(transport_, Rpc::kImportCheckpoint, context, response, service_,
                         &Service::ImportCheckpoint);
  }

  const TransportContext& transport_;
  Service& service_;
};

class GrpcJobService final : public tarn::v1::JobService::CallbackService {
 public:
  GrpcJobService(const TransportContext& transport, JobService& service)
      : transport_(transport), service_(service) {}

 private:
  using Service = JobService;

  TARN_UNARY(GetJob)
  TARN_UNARY(ListJobs)
  TARN_UNARY(CancelJob)
  TARN_RESPONSES(WatchJob)

  const TransportContext& transport_;
  Service& service_;
};

#undef TARN_UNARY
#undef TARN_RESPONSES

}  // namespace tarn::server
