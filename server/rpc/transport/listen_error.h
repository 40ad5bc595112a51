// Why a server could not listen, which gRPC only logs.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace tarn::server {

// Tries what gRPC has just failed to do, to learn the operating system's reason.
// FAILED_PRECONDITION with it.
absl::Status ListenError(const std::string& listen);

// gRPC replaces a Unix socket that exists. FAILED_PRECONDITION when somebody still answers on it;
// OK for other addresses.
absl::Status CheckUnixSocketIsFree(const std::string& listen);

}  // namespace tarn::server
