// Who is at the other end of a gRPC call.
#pragma once

#include "absl/strings/string_view.h"
#include "server/rpc/call.h"
#include <grpcpp/grpcpp.h>

namespace tarn::server {

Peer PeerOf(const grpc::ServerContextBase& context);

// From gRPC's name of an address, such as "ipv4:127.0.0.1:5000", "ipv6:%5B::1%5D:5000" or
// "unix:/path".
Peer::Locality LocalityOf(absl::string_view address);

}  // namespace tarn::server
