// From the options that an operator chooses to what each part is built with.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/config/options.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/server_limits.h"
#include "server/rpc/transport/grpc_server.h"
#include "storage/limits.h"
#include "storage/store.h"

namespace tarn::server {

// As in --engine.
const char* EngineName(EngineKind engine);

storage::Limits LimitsOf(const Options& options);
ServerLimits ServerLimitsOf(const Options& options);
storage::StoreOptions StoreOptionsOf(const Options& options);
GrpcServerOptions GrpcOptionsOf(const Options& options);
ServerFacts FactsOf(const Options& options, int64_t now_ms);

// What clients connect to: the address as it was given, with the port that was really bound.
absl::StatusOr<std::string> BoundAddress(const std::string& listen, int port);

}  // namespace tarn::server
