#include "server/settings.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/config/values.h"
#include "storage/base/status.h"
#include "tarn_version.h"

namespace tarn::server {
namespace {

tarn::v1::Durability DurabilityOf(const Options& options) {
  if (options.engine == EngineKind::kMemory) return tarn::v1::DURABILITY_MEMORY;
  if (options.engine == EngineKind::kRedis) return tarn::v1::DURABILITY_EXTERNAL;
  return options.durability == DurabilityChoice::kDisk ? tarn::v1::DURABILITY_DISK
                                                       : tarn::v1::DURABILITY_OS;
}

}  // namespace

const char* EngineName(EngineKind engine) {
  switch (engine) {
    case EngineKind::kRocksDb:
      return "rocksdb";
    case EngineKind::kMemory:
      return "memory";
    case EngineKind::kRedis:
      return "redis";
  }
  return "";
}

storage::Limits LimitsOf(const Options& options) {
  storage::Limits limits;
  limits.max_key_bytes = options.max_key_size;
  limits.max_value_bytes = options.max_value_size;
  limits.max_batch_operations = options.max_batch_operations;
  limits.max_scan_chunk_bytes = options.scan_chunk;
  limits.default_scan_chunk_bytes = options.scan_chunk;
  limits.max_namespaces = options.max_namespaces;
  limits.max_lock_ttl_ms = absl::ToInt64Milliseconds(options.max_lock_ttl);
  limits.max_locks = options.max_locks;
  limits.max_lock_waiters = options.max_lock_waiters;
  limits.max_lock_queue = options.max_lock_waiters;
  limits.max_groups = options.max_groups;
  return limits;
}

ServerLimits ServerLimitsOf(const Options& options) {
  ServerLimits limits;
  limits.scan_chunk_bytes = options.scan_chunk;
  limits.max_pipeline_batches = options.max_pipeline_batches;
  limits.max_pipeline_bytes = options.max_pipeline_size;
  limits.snapshot_lifetime_ms = absl::ToInt64Milliseconds(options.scan_lifetime);
  limits.max_snapshots = options.max_scans;
  limits.max_concurrent_streams = options.max_concurrent_calls;
  return limits;
}

storage::StoreOptions StoreOptionsOf(const Options& options) {
  storage::StoreOptions store;
  store.limits = LimitsOf(options);
  store.namespace_creation = options.namespace_creation == NamespaceCreationChoice::kExplicit
                                 ? storage::NamespaceCreation::kExplicit
                                 : storage::NamespaceCreation::kOnFirstWrite;
  store.scan_lifetime = options.scan_lifetime;
  store.max_open_scans = options.max_scans;
  store.requests.max_bytes = options.max_receipts_size;
  store.requests.max_clients = options.max_clients;
  return store;
}

GrpcServerOptions GrpcOptionsOf(const Options& options) {
  const ServerLimits limits = ServerLimitsOf(options);
  return {.listen = options.listen,
          .tls = {.certificate = options.tls_cert,
                  .key = options.tls_key,
                  .client_ca = options.tls_client_ca},
          .max_request_bytes = LimitsOf(options).max_request_bytes,
          .max_concurrent_streams = limits.max_concurrent_streams,
          .max_metadata_bytes = limits.max_metadata_bytes};
}

checkpoint::ReaderOptions ReaderOptionsOf(const Options& options) {
  return {.threads = static_cast<int>(options.checkpoint_threads)};
}

checkpoint::StartRules StartRulesOf(const Options& options) {
  checkpoint::StartRules rules{.policy = options.restore_on_start};
  if (options.discard_newer == Switch::kOn)
    rules.newer_commits = checkpoint::NewerCommits::kDiscard;
  if (options.allow_empty_start == Switch::kOn) rules.empty_start = checkpoint::EmptyStart::kAllow;
  return rules;
}

CheckpointSchedule ScheduleOf(const Options& options) {
  CheckpointSchedule schedule;
  schedule.interval = options.checkpoint_interval;
  schedule.retention.newest = options.checkpoint_retain;
  schedule.retention.hours = options.checkpoint_retain_hourly;
  schedule.retention.days = options.checkpoint_retain_daily;
  schedule.retention.max_bytes = options.checkpoint_retain_size;
  return schedule;
}

CheckpointManagerOptions ManagerOptionsOf(const Options& options, const OpenedState& state) {
  CheckpointManagerOptions manager;
  manager.schedule = ScheduleOf(options);
  manager.writer.compression = options.checkpoint_codec;
  manager.writer.threads = static_cast<int>(options.checkpoint_threads);
  const bool broken = state.history == checkpoint::History::kBroken;
  manager.protect_before = broken ? state.meta.incarnation : 0;
  return manager;
}

ServerFacts FactsOf(const Options& options, int64_t now_ms) {
  return {.version = kVersion,
          .commit = kCommit,
          .engine = EngineName(options.engine),
          .durability = DurabilityOf(options),
          .start_time_ms = now_ms,
          .limits = LimitsOf(options),
          .server_limits = ServerLimitsOf(options)};
}

absl::StatusOr<std::string> BoundAddress(const std::string& listen, int port) {
  TARN_ASSIGN_OR_RETURN(const ListenAddress address, ParseListenAddress(listen));
  if (!address.unix_path.empty()) return listen;
  const bool ipv6 = absl::StrContains(address.host, ":");
  return ipv6 ? absl::StrCat("[", address.host, "]:", port) : absl::StrCat(address.host, ":", port);
}

}  // namespace tarn::server
