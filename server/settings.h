// From the options that an operator chooses to what each part is built with.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "checkpoint/reader.h"
#include "checkpoint/start_decision.h"
#include "server/checkpoints/checkpoint_manager.h"
#include "server/checkpoints/state_opening.h"
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
checkpoint::ReaderOptions ReaderOptionsOf(const Options& options);
checkpoint::StartRules StartRulesOf(const Options& options);
CheckpointSchedule ScheduleOf(const Options& options);
CheckpointManagerOptions ManagerOptionsOf(const Options& options, const OpenedState& state);
ServerFacts FactsOf(const Options& options, int64_t now_ms);

// What clients connect to: the address as it was given, with the port that was really bound.
absl::StatusOr<std::string> BoundAddress(const std::string& listen, int port);

}  // namespace tarn::server
