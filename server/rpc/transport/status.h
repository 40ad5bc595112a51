// Errors on their way into gRPC's own status.
#pragma once

#include "google/rpc/status.pb.h"
#include <grpcpp/grpcpp.h>

namespace tarn::server {

// The whole of `error` goes into the trailer grpc-status-details-bin, as other languages' libraries
// expect it.
inline grpc::Status ToGrpc(const google::rpc::Status& error) {
  return {static_cast<grpc::StatusCode>(error.code()), error.message(), error.SerializeAsString()};
}

}  // namespace tarn::server
