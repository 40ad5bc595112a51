#include "server/rpc/transport/grpc_server.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/rpc/health_service.h"
#include "server/rpc/reflection_service.h"
#include "server/rpc/transport/channelz.h"
#include "server/rpc/transport/checkpoint_services.h"
#include "server/rpc/transport/credentials.h"
#include "server/rpc/transport/listen_error.h"
#include "server/rpc/transport/lock_services.h"
#include "server/rpc/transport/services.h"
#include "server/rpc/transport/stream_registry.h"
#include "storage/base/logging.h"
#include "storage/base/status.h"
#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>

namespace tarn::server {
namespace {

constexpr int kKeepaliveMs = 60'000;         // A dead peer is noticed after this...
constexpr int kKeepaliveTimeoutMs = 20'000;  // ...and this.
constexpr int kMinClientPingMs = 9'000;      // Clients may ping every 10 s; a second for jitter.
constexpr absl::Duration kDrainPoll = absl::Milliseconds(1);
constexpr absl::Duration kGoodbye =
    absl::Milliseconds(100);  // For clients to close their connections by themselves.
constexpr int kHandshakeTimeoutMs = 10'000;  // Or half-open connections would pile up.

std::vector<std::string> ServiceNames() {
  return {tarn::v1::StateService::service_full_name(), tarn::v1::AdminService::service_full_name(),
          tarn::v1::CheckpointService::service_full_name(),
          tarn::v1::JobService::service_full_name(), tarn::v1::LockService::service_full_name()};
}

std::vector<std::string> ReflectedNames() {
  std::vector<std::string> names = ServiceNames();
  names.emplace_back(grpc::health::v1::Health::service_full_name());
  names.emplace_back(grpc::reflection::v1alpha::ServerReflection::service_full_name());
  return names;
}

void SetArguments(const GrpcServerOptions& options, grpc::ServerBuilder* builder) {
  // On by default, and then a second daemon on the same port starts without a word and takes half
  // of the connections.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder->SetMaxReceiveMessageSize(static_cast<int>(options.max_request_bytes));
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                              static_cast<int>(options.max_concurrent_streams));
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE,
                              static_cast<int>(options.max_metadata_bytes));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                              kMinClientPingMs);
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
}

void WriteGrpcLog(gpr_log_func_args* args) {
  const auto level =
      args->severity == GPR_LOG_SEVERITY_ERROR ? base::LogLevel::kWarning : base::LogLevel::kDebug;
  if (base::LogEnabled(level)) base::WriteLog(level, absl::StrCat("grpc: ", args->message));
}

}  // namespace

// Members are destroyed from the last to the first: the server goes before the services it calls.
class GrpcServer::Impl {
 public:
  explicit Impl(const Services& services)
      : transport_{services.counters, services.clock, streams_},
        health_(ServiceNames()),
        reflection_(ReflectedNames()),
        grpc_state_(transport_, services.state),
        grpc_admin_(transport_, services.admin),
        grpc_checkpoints_(transport_, services.checkpoints),
        grpc_jobs_(transport_, services.jobs),
        grpc_locks_(transport_, services.locks),
        grpc_health_(transport_, health_),
        grpc_reflection_(transport_, reflection_) {}

  absl::Status Start(const GrpcServerOptions& options) {
    TARN_ASSIGN_OR_RETURN(auto credentials, CredentialsOf(options.tls));
    TARN_RETURN_IF_ERROR(CheckUnixSocketIsFree(options.listen));
    grpc::ServerBuilder builder;
    SetArguments(options, &builder);
    builder.AddListeningPort(options.listen, credentials, &port_);
    builder.RegisterService(&grpc_state_);
    builder.RegisterService(&grpc_admin_);
    builder.RegisterService(&grpc_checkpoints_);
    builder.RegisterService(&grpc_jobs_);
    builder.RegisterService(&grpc_locks_);
    builder.RegisterService(&grpc_health_);
    builder.RegisterService(&grpc_reflection_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return ListenError(options.listen);
    if (absl::StartsWith(options.listen, "unix:")) port_ = 0;  // gRPC says 1.
    return absl::OkStatus();
  }

  ~Impl() { Shutdown(absl::ZeroDuration()); }

  void Drain() {
    health_.Set(HealthService::Status::kNotServing);
    streams_.DrainAll();
  }

  // Calls are waited for by their count: gRPC itself would wait for connections too, and a client
  // that nobody polls, or that has gone, does not answer its goodbye.
  void Shutdown(absl::Duration patience) {
    if (server_ == nullptr || std::exchange(shut_down_, true)) return;
    const int64_t deadline = transport_.clock.MonotonicNanos() + absl::ToInt64Nanoseconds(patience);
    while (transport_.counters.calls_in_flight() > 0 &&
           transport_.clock.MonotonicNanos() < deadline) {
      absl::SleepFor(kDrainPoll);
    }
    const absl::Duration goodbye = std::min(patience, kGoodbye);
    const gpr_timespec span =
        gpr_time_from_millis(absl::ToInt64Milliseconds(goodbye), GPR_TIMESPAN);
    server_->Shutdown(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), span));
    server_->Wait();
  }

  void SetServing() { health_.Set(HealthService::Status::kServing); }
  void SetNotServing() { health_.Set(HealthService::Status::kNotServing); }
  int port() const { return port_; }

 private:
  StreamRegistry streams_;
  const TransportContext transport_;
  HealthService health_;
  ReflectionService reflection_;
  GrpcStateService grpc_state_;
  GrpcAdminService grpc_admin_;
  GrpcCheckpointService grpc_checkpoints_;
  GrpcJobService grpc_jobs_;
  GrpcLockService grpc_locks_;
  GrpcHealthService grpc_health_;
  GrpcReflectionService grpc_reflection_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  bool shut_down_ = false;
};

GrpcServer::GrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GrpcServer::~GrpcServer() = default;

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const GrpcServerOptions& options,
                                                              const Services& services) {
  auto impl = std::make_unique<Impl>(services);
  TARN_RETURN_IF_ERROR(impl->Start(options));
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(impl)));
}

int GrpcServer::port() const { return impl_->port(); }
int64_t GrpcServer::Connections() const { return CountServerSockets(); }
void GrpcServer::SetServing() { impl_->SetServing(); }
void GrpcServer::SetNotServing() { impl_->SetNotServing(); }
void GrpcServer::Drain() { impl_->Drain(); }
void GrpcServer::Shutdown(absl::Duration patience) { impl_->Shutdown(patience); }

void AdoptGrpcLog() { gpr_set_log_function(WriteGrpcLog); }

}  // namespace tarn::server
