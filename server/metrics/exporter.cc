#include "server/metrics/exporter.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "server/metrics/checkpoint_figures.h"
#include "server/metrics/families.h"
#include "server/metrics/redis_figures.h"
#include <prometheus/metric_family.h>

namespace tarn::server {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string ToString(absl::string_view text) { return std::string(text.data(), text.size()); }

// gRPC's names of its codes.
const char* CodeName(size_t code) {
  static constexpr const char* kNames[] = {"OK",
                                           "CANCELLED",
                                           "UNKNOWN",
                                           "INVALID_ARGUMENT",
                                           "DEADLINE_EXCEEDED",
                                           "NOT_FOUND",
                                           "ALREADY_EXISTS",
                                           "PERMISSION_DENIED",
                                           "RESOURCE_EXHAUSTED",
                                           "FAILED_PRECONDITION",
                                           "ABORTED",
                                           "OUT_OF_RANGE",
                                           "UNIMPLEMENTED",
                                           "INTERNAL",
                                           "UNAVAILABLE",
                                           "DATA_LOSS",
                                           "UNAUTHENTICATED"};
  static_assert(std::size(kNames) == kCodes, "each code has a name");
  return kNames[code];
}

void AddCalls(const CounterTotals& totals, Families* families) {
  MetricFamily& calls =
      families->Add("tarn_grpc_calls_total", "gRPC calls that ended, by method and status code.",
                    MetricType::Counter);
  for (size_t rpc = 0; rpc < kRpcs; ++rpc) {
    for (size_t code = 0; code < kCodes; ++code) {
      const uint64_t count = totals.calls[rpc][code];
      if (count == 0 && code != 0)
        continue;  // Success is there from the start, so that its rate is.
      Families::AddCounter(
          calls, AsDouble(count),
          {{"method", ToString(RpcName(static_cast<Rpc>(rpc)))}, {"code", CodeName(code)}});
    }
  }
}

void AddErrors(const CounterTotals& totals, Families* families) {
  MetricFamily& errors = families->Add("tarn_errors_total",
                                       "Errors that callers were told, by reason: of calls, of "
                                       "batches of pipelines, and of operations in batches.",
                                       MetricType::Counter);
  for (size_t reason = 0; reason < base::kReasons; ++reason) {
    const absl::string_view name = base::ReasonName(static_cast<base::Reason>(reason));
    if (totals.errors[reason] > 0 && !name.empty())
      Families::AddCounter(errors, AsDouble(totals.errors[reason]), {{"reason", ToString(name)}});
  }
  families->Counter("tarn_retries_advised_total",
                    "Calls, and batches of pipelines, refused with the advice to try again: "
                    "starting, draining, a queue full, too many snapshots.",
                    AsDouble(totals.retries_advised));
}

void AddLatencies(const CounterTotals& totals, Families* families) {
  MetricFamily& family = families->Add(
      "tarn_grpc_call_duration_seconds",
      "Time from a call's arrival to its answer; of streams, to their end. By method.",
      MetricType::Histogram);
  for (size_t rpc = 0; rpc < kRpcs; ++rpc) {
    ClientMetric metric;
    metric.label = {{"method", ToString(RpcName(static_cast<Rpc>(rpc)))}};
    uint64_t count = 0;
    for (size_t bucket = 0; bucket < kLatencyBuckets; ++bucket) {
      count += totals.latency[rpc][bucket];
      const bool last = bucket == kLatencyBoundsNs.size();
      const double bound = last ? std::numeric_limits<double>::infinity()
                                : static_cast<double>(kLatencyBoundsNs[bucket]) / 1e9;
      metric.histogram.bucket.push_back({count, bound});
    }
    if (count == 0) continue;
    metric.histogram.sample_count = count;
    metric.histogram.sample_sum = AsDouble(totals.latency_sum_ns[rpc]) / 1e9;
    family.metric.push_back(std::move(metric));
  }
}

void AddOperations(const CounterTotals& totals, Families* families) {
  MetricFamily& family = families->Add("tarn_operations_total",
                                       "Operations by kind and result: hit (done, there was an "
                                       "entry), miss (done, there was none), precondition, error.",
                                       MetricType::Counter);
  for (size_t kind = 0; kind < kOperationKinds; ++kind) {
    for (size_t outcome = 0; outcome < kOperationOutcomes; ++outcome) {
      Families::AddCounter(
          family, AsDouble(totals.operations[kind][outcome]),
          {{"kind", ToString(OperationKindName(static_cast<storage::OperationKind>(kind)))},
           {"result", ToString(OperationOutcomeName(static_cast<OperationOutcome>(outcome)))}});
    }
  }
  families->Counter("tarn_batches_total", "Batches that ran, calls of one operation included.",
                    AsDouble(totals.batches));
  families->Counter("tarn_scanned_entries_total", "Entries sent by scans.",
                    AsDouble(totals.scanned_entries));
  families->Counter("tarn_request_bytes_total", "Bytes of keys and values in requests.",
                    AsDouble(totals.bytes_in));
  families->Counter("tarn_response_bytes_total",
                    "Bytes of values, and of scanned keys and values, in answers.",
                    AsDouble(totals.bytes_out));
}

void AddServer(const MetricsSnapshot& snapshot, Families* families) {
  families->Gauge(
      "tarn_build_info", "Always 1: what is running is in the labels.", 1,
      {{"version", snapshot.version}, {"commit", snapshot.commit}, {"engine", snapshot.engine}});
  families->Gauge("tarn_ready", "1 while requests are served, else 0.", snapshot.ready ? 1 : 0);
  families->Gauge("tarn_connections", "Connections from gRPC clients.",
                  static_cast<double>(snapshot.connections));
  families->Gauge("tarn_grpc_calls_in_flight",
                  "gRPC calls that have begun and not ended, streams included.",
                  static_cast<double>(snapshot.calls_in_flight));
  families->Gauge("tarn_pipelines", "Pipeline streams that are open.",
                  static_cast<double>(snapshot.pipelines));
  families->Gauge("tarn_executor_queued_tasks", "Long or blocking work that waits for a thread.",
                  AsDouble(snapshot.executor_queued));
  families->Gauge("tarn_wall_clock_drift_seconds",
                  "How far the machine's wall clock was stepped away from Tarn's since the start.",
                  static_cast<double>(snapshot.wall_clock_drift_ms) / 1e3);
}

void AddEngine(const storage::EngineStats& engine, Families* families) {
  families->Counter("tarn_engine_errors_total",
                    "Failures of the engine itself, such as of its disk.", AsDouble(engine.errors));
  families->Gauge("tarn_engine_writable",
                  "0 while the engine refuses growth or all writes, else 1.",
                  engine.writable ? 1 : 0);
  families->Gauge("tarn_engine_memory_bytes", "Memory that the engine accounts for.",
                  AsDouble(engine.memory_bytes));
  families->Gauge("tarn_engine_memory_limit_bytes",
                  "The most memory the engine may use; 0: no limit of its own.",
                  AsDouble(engine.memory_limit_bytes));
  families->Gauge("tarn_engine_disk_bytes", "Bytes of the engine's files.",
                  AsDouble(engine.disk_bytes));
  families->Gauge("tarn_engine_disk_free_bytes", "Free bytes of the file system that holds them.",
                  AsDouble(engine.disk_free_bytes));
  families->Gauge("tarn_engine_queued_batches", "Batches that wait for a commit or a read.",
                  AsDouble(engine.queued_batches));
  families->Gauge("tarn_engine_queue_limit_batches",
                  "How many may wait; more are refused. 0: the engine has no queue.",
                  AsDouble(engine.queue_limit));
  families->Gauge("tarn_snapshots", "Snapshots that are open, of scans and others.",
                  AsDouble(engine.snapshots));
  families->Gauge("tarn_snapshot_bytes", "What is kept only because snapshots need it.",
                  AsDouble(engine.snapshot_bytes));
}

void AddRequests(const storage::RequestStats& requests, Families* families) {
  families->Gauge("tarn_clients", "Client ids that writes may carry.", AsDouble(requests.clients));
  families->Gauge("tarn_receipts", "Requests whose answers are kept for repetitions.",
                  AsDouble(requests.requests));
  families->Gauge("tarn_receipts_bytes", "What the answers kept for repetitions take.",
                  AsDouble(requests.bytes));
  families->Gauge("tarn_receipts_limit_bytes", "How much they may take.",
                  AsDouble(requests.max_bytes));
  families->Counter("tarn_replays_total", "Answers that were given again to repetitions.",
                    AsDouble(requests.replays));
  families->Counter("tarn_requests_refused_total",
                    "Requests with an id, and clients, that there was no room for.",
                    AsDouble(requests.refused));
}

void AddStore(const storage::StoreStats& store, Families* families) {
  families->Gauge("tarn_store_info", "Always 1: the store's id is in the label.", 1,
                  {{"store_id", store.store_id}});
  families->Gauge("tarn_store_incarnation", "How many times the store has been opened for writing.",
                  AsDouble(store.incarnation));
  families->Counter("tarn_revisions_total",
                    "Revisions taken in this incarnation: one for each commit.",
                    AsDouble(storage::CounterOf(store.engine.revision)));
  families->Counter("tarn_swept_entries_total", "Expired entries that were removed.",
                    AsDouble(store.swept_entries));
  families->Gauge("tarn_scans_open", "Scans that are under way or can be resumed.",
                  AsDouble(store.open_scans));
  families->Gauge("tarn_oldest_scan_age_seconds", "Age of the oldest of them; 0 without one.",
                  absl::ToDoubleSeconds(store.oldest_scan_age));
  families->Gauge("tarn_namespaces", "Namespaces.", AsDouble(store.namespaces));
  AddRequests(store.requests, families);
  AddEngine(store.engine, families);
}

void AddLocks(const storage::LockStats& locks, Families* families) {
  families->Gauge("tarn_locks_held", "Locks that somebody holds.", AsDouble(locks.held));
  families->Gauge("tarn_lock_waiters", "Requests that wait for a lock.", AsDouble(locks.waiting));
  families->Gauge("tarn_lock_groups", "Groups of workers that have an epoch.",
                  AsDouble(locks.groups));
  families->Counter("tarn_locks_acquired_total", "Grants of locks.", AsDouble(locks.acquired));
  families->Counter("tarn_locks_released_total", "Grants that their holders gave back.",
                    AsDouble(locks.released));
  families->Counter("tarn_locks_expired_total", "Grants whose holders did not renew them in time.",
                    AsDouble(locks.expired));
  families->Counter("tarn_locks_forced_total", "Grants that an administrator ended.",
                    AsDouble(locks.forced));
  families->Counter("tarn_lock_waits_timed_out_total",
                    "Requests for locks that were not free in time.", AsDouble(locks.timed_out));
  families->Counter("tarn_lock_waits_given_up_total",
                    "Requests for locks whose callers went away before they were answered.",
                    AsDouble(locks.given_up));
  families->Counter("tarn_group_joins_total", "Epochs that were raised.", AsDouble(locks.joined));
  families->Counter("tarn_fenced_writes_total",
                    "Writes refused because their token or epoch was not the present one.",
                    AsDouble(locks.fenced_writes));
}

// Of the namespaces that have figures of their own.
void AddQuotas(const std::vector<storage::NamespaceInfo>& namespaces, Families* families) {
  MetricFamily entries{"tarn_namespace_quota_entries",
                       "The most entries a namespace may have, if it has such a quota.",
                       MetricType::Gauge,
                       {}};
  MetricFamily bytes{"tarn_namespace_quota_bytes",
                     "The most bytes of keys and values it may have, if it has such a quota.",
                     MetricType::Gauge,
                     {}};
  for (const storage::NamespaceInfo& info : namespaces) {
    const Labels labels = {{"namespace", info.name}};
    const storage::Quota& quota = info.settings.quota;
    if (quota.max_entries > 0)
      Families::AddGauge(entries, static_cast<double>(quota.max_entries), labels);
    if (quota.max_bytes > 0)
      Families::AddGauge(bytes, static_cast<double>(quota.max_bytes), labels);
  }
  families->Add(std::move(entries));
  families->Add(std::move(bytes));
}

void AddNamespaces(std::vector<storage::NamespaceInfo> namespaces, Families* families) {
  std::sort(namespaces.begin(), namespaces.end(), [](const auto& left, const auto& right) {
    return left.usage.bytes > right.usage.bytes;
  });
  storage::NamespaceInfo other;
  other.name = "(other)";  // Not a name that a namespace can have.
  const bool too_many = namespaces.size() > kMaxNamespaceLabels;
  for (size_t i = kMaxNamespaceLabels; i < namespaces.size(); ++i)
    other.usage += namespaces[i].usage;
  namespaces.resize(std::min(namespaces.size(), kMaxNamespaceLabels));
  if (too_many) namespaces.push_back(other);
  MetricFamily entries{"tarn_namespace_entries",
                       "Entries by namespace, expired ones until they are swept.",
                       MetricType::Gauge,
                       {}};
  MetricFamily bytes{
      "tarn_namespace_bytes", "Bytes of keys and values by namespace.", MetricType::Gauge, {}};
  for (const storage::NamespaceInfo& info : namespaces) {
    Families::AddGauge(entries, static_cast<double>(info.usage.entries),
                       {{"namespace", info.name}});
    Families::AddGauge(bytes, static_cast<double>(info.usage.bytes), {{"namespace", info.name}});
  }
  families->Add(std::move(entries));
  families->Add(std::move(bytes));
  AddQuotas(namespaces, families);
}

void AddDisks(const std::vector<DiskFigures>& disks, Families* families) {
  MetricFamily free{"tarn_disk_free_bytes",
                    "Free bytes of the file system that holds a directory of the daemon.",
                    MetricType::Gauge,
                    {}};
  MetricFamily size{"tarn_disk_size_bytes", "Size of that file system.", MetricType::Gauge, {}};
  for (const DiskFigures& disk : disks) {
    Families::AddGauge(free, AsDouble(disk.free_bytes), {{"directory", disk.directory}});
    Families::AddGauge(size, AsDouble(disk.size_bytes), {{"directory", disk.directory}});
  }
  families->Add(std::move(free));
  families->Add(std::move(size));
}

void AddProcess(const ProcessStats& process, Families* families) {
  families->Counter("process_cpu_seconds_total", "Processor time used, in seconds.",
                    process.cpu_seconds);
  families->Gauge("process_start_time_seconds",
                  "When the process was started, since the Unix epoch.",
                  process.start_time_seconds);
  families->Gauge("process_resident_memory_bytes", "Resident memory.",
                  AsDouble(process.resident_bytes));
  families->Gauge("process_virtual_memory_bytes", "Virtual memory.",
                  AsDouble(process.virtual_bytes));
  families->Gauge("process_threads", "Threads.", static_cast<double>(process.threads));
  families->Gauge("process_open_fds", "Open file descriptors.",
                  static_cast<double>(process.open_files));
  families->Gauge("process_max_fds", "The most file descriptors that may be open.",
                  AsDouble(process.max_files));
}

}  // namespace

std::string RenderMetrics(const MetricsSnapshot& snapshot) {
  Families families;
  AddServer(snapshot, &families);
  AddCalls(snapshot.counters, &families);
  AddErrors(snapshot.counters, &families);
  AddLatencies(snapshot.counters, &families);
  AddOperations(snapshot.counters, &families);
  if (snapshot.store) AddStore(*snapshot.store, &families);
  if (snapshot.locks) AddLocks(*snapshot.locks, &families);
  if (snapshot.redis) AddRedis(*snapshot.redis, &families);
  if (snapshot.checkpoints) AddCheckpoints(*snapshot.checkpoints, &families);
  AddNamespaces(snapshot.namespaces, &families);
  AddDisks(snapshot.disks, &families);
  AddProcess(snapshot.process, &families);
  return families.Render();
}

}  // namespace tarn::server
