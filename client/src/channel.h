// Making a channel from ClientOptions.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "tarn/options.h"
#include <grpcpp/channel.h>

namespace tarn::internal {

// INVALID_ARGUMENT, INVALID_OPTIONS if the options cannot work. Does not connect.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const ClientOptions& options);

}  // namespace tarn::internal
