// Everything the daemon publishes at /metrics, in Prometheus' text format. docs/metrics.md
// describes it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/metrics/checkpoint_figures.h"
#include "server/metrics/counters.h"
#include "server/metrics/process_stats.h"
#include "storage/namespaces.h"
#include "storage/redis_report.h"
#include "storage/store.h"

namespace tarn::server {

// A file system that the daemon writes to.
struct DiskFigures {
  std::string directory;  // "data" or "checkpoints".
  uint64_t free_bytes = 0;
  uint64_t size_bytes = 0;
};

// What is true at one moment.
struct MetricsSnapshot {
  std::string version;
  std::string commit;
  std::string engine;
  bool ready = false;
  CounterTotals counters;
  int64_t calls_in_flight = 0;
  int64_t pipelines = 0;
  int64_t connections = 0;
  uint64_t executor_queued = 0;
  int64_t wall_clock_drift_ms = 0;
  std::optional<storage::StoreStats> store;  // None until it is open.
  std::optional<storage::LockStats> locks;   // Likewise.
  std::vector<storage::NamespaceInfo> namespaces;
  std::optional<CheckpointFigures> checkpoints;  // None until they are open.
  std::optional<storage::RedisReport> redis;     // Of the Redis engine, also while it opens.
  std::vector<DiskFigures> disks;                // Those that could be asked.
  ProcessStats process;
};

// Namespaces with metrics of their own: the largest by bytes. The rest is summed up as "(other)",
// so that a scrape has a bound.
inline constexpr size_t kMaxNamespaceLabels = 100;

std::string RenderMetrics(const MetricsSnapshot& snapshot);

}  // namespace tarn::server
