// What gRPC's own bookkeeping (channelz) knows of this process.
#pragma once

#include <cstdint>

namespace tarn::server {

// Connections that clients have open to any gRPC server of this process.
int64_t CountServerSockets();

}  // namespace tarn::server
