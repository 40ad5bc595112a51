// TLS for the gRPC front.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "server/rpc/transport/grpc_server.h"
#include <grpcpp/grpcpp.h>

namespace tarn::server {

// Credentials that follow the files as they change; a change takes a few seconds to be seen, and
// concerns new connections. INVALID_ARGUMENT naming the file that is missing, unreadable, or not
// what it should be.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> CredentialsOf(const TlsFiles& files);

}  // namespace tarn::server
