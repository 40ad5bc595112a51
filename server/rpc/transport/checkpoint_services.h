// As services.h, for checkpoints and jobs.
#pragma once

#include "server/rpc/checkpoint_service.h"
#include "server/rpc/job_service.h"
#include "server/rpc/transport/context.h"
#include "server/rpc/transport/methods.h"
#include "server/rpc/transport/stream.h"
#include "server/rpc/transport/unary.h"
#include "tarn/v1/checkpoint.grpc.pb.h"
#include "tarn/v1/job.grpc.pb.h"
#include <grpcpp/grpcpp.h>

namespace tarn::server {

class GrpcCheckpointService final : public tarn::v1::CheckpointService::CallbackService {
 public:
  GrpcCheckpointService(const TransportContext& transport, CheckpointService& service)
      : transport_(transport), service_(service) {}

 private:
  using Service = CheckpointService;

  TARN_UNARY_METHOD(CreateCheckpoint)
  TARN_UNARY_METHOD(GetCheckpoint)
  TARN_UNARY_METHOD(ListCheckpoints)
  TARN_UNARY_METHOD(VerifyCheckpoint)
  TARN_UNARY_METHOD(DeleteCheckpoint)
  TARN_UNARY_METHOD(PinCheckpoint)
  TARN_UNARY_METHOD(UnpinCheckpoint)
  TARN_UNARY_METHOD(RestoreCheckpoint)
  TARN_UNARY_METHOD(GetCheckpointEntry)
  TARN_RESPONSES_METHOD(DiffCheckpoints)
  TARN_RESPONSES_METHOD(ExportCheckpoint)

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

  TARN_UNARY_METHOD(GetJob)
  TARN_UNARY_METHOD(ListJobs)
  TARN_UNARY_METHOD(CancelJob)
  TARN_RESPONSES_METHOD(WatchJob)

  const TransportContext& transport_;
  Service& service_;
};

}  // namespace tarn::server
