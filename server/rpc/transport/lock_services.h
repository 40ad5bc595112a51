// As services.h, for locks.
#pragma once

#include "server/rpc/lock_service.h"
#include "server/rpc/transport/context.h"
#include "server/rpc/transport/methods.h"
#include "server/rpc/transport/unary.h"
#include "server/rpc/transport/waiting.h"
#include "tarn/v1/lock.grpc.pb.h"
#include <grpcpp/grpcpp.h>

namespace tarn::server {

class GrpcLockService final : public tarn::v1::LockService::CallbackService {
 public:
  GrpcLockService(const TransportContext& transport, LockService& service)
      : transport_(transport), service_(service) {}

 private:
  using Service = LockService;

  grpc::ServerUnaryReactor* AcquireLock(grpc::CallbackServerContext* context,
                                        const tarn::v1::AcquireLockRequest* request,
                                        tarn::v1::AcquireLockResponse* response) override {
    return ServeWaiting(transport_, Rpc::kAcquireLock, context, request, response, service_,
                        &Service::AcquireLock);
  }
  TARN_UNARY_METHOD(RenewLock)
  TARN_UNARY_METHOD(ReleaseLock)
  TARN_UNARY_METHOD(GetLock)
  TARN_UNARY_METHOD(ListLocks)
  TARN_UNARY_METHOD(ForceReleaseLock)
  TARN_UNARY_METHOD(JoinGroup)
  TARN_UNARY_METHOD(GetGroup)
  TARN_UNARY_METHOD(ListGroups)
  TARN_UNARY_METHOD(DeleteGroup)

  const TransportContext& transport_;
  Service& service_;
};

}  // namespace tarn::server
