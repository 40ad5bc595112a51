// grpc.health.v1.Health/Check, encoded by hand: two fields are not worth a dependency on somebody's
// copy of its proto.
#pragma once

#include "absl/status/statusor.h"
#include "tarn/admin.h"
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

namespace tarn::internal {

// Asks for the server as a whole. The answer's bytes go to `response`.
grpc::Status CallHealthCheck(grpc::ChannelInterface& channel, grpc::ClientContext* context,
                             grpc::ByteBuffer* response);

// INTERNAL if the bytes are no HealthCheckResponse.
absl::StatusOr<Health> ParseHealth(const grpc::ByteBuffer& response);

}  // namespace tarn::internal
