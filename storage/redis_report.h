// What operators see of the Redis that an engine's state lives in.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "storage/redis_stats.h"

namespace tarn::storage {

// Whether this daemon may write to the store.
enum class RedisOwnership : uint8_t {
  kConnecting,  // Redis has not been reached yet.
  kStandby,     // Another daemon owns the store; this one waits.
  kOwner,
  kDeposed,    // Another daemon has taken it.
  kStoreLost,  // Redis has come back without it.
};

// What a server does with a write before it acknowledges it.
enum class RedisPersistence : uint8_t {
  kUnknown,
  kNoLog,  // The append-only file is off.
  kLog,    // It is on; how it is synced is not for this user to know.
  kSyncNever,
  kSyncEverySecond,
  kSyncAlways,
};

struct RedisReplica {
  std::string address;
  bool online = false;

  friend bool operator==(const RedisReplica&, const RedisReplica&) = default;
};

// What a server says of itself; not more than a few seconds old.
struct RedisServerFacts {
  std::string version;
  uint64_t memory_bytes = 0;
  uint64_t max_memory_bytes = 0;  // 0: no limit.
  RedisPersistence persistence = RedisPersistence::kUnknown;
  std::vector<RedisReplica> replicas;
};

struct RedisNodeReport {
  redis::NodeStats stats;
  std::optional<RedisServerFacts> facts;  // None until it said something.
};

// Counted since the engine began to open.
struct RedisReport {
  redis::Topology topology = redis::Topology::kStandalone;
  std::string url;  // Without secrets.
  RedisOwnership ownership = RedisOwnership::kConnecting;
  bool forbidden = false;  // Redis lets this daemon's user do less than it needs.
  int wait_replicas = 0;
  std::vector<RedisNodeReport> nodes;  // Primaries.
  redis::RoutingStats routing;
  uint64_t node_changes = 0;  // Primaries replaced or started anew.
  uint64_t retries = 0;       // Commands sent again.
  uint64_t lost = 0;          // Writes whose answer was lost:
  uint64_t settled = 0;       // whose fate is known since,
  uint64_t unknown = 0;       // and whose caller was told that nobody knows.
  uint64_t healed = 0;        // Entries put back into the index, ghosts taken out of it.
  std::array<uint64_t, redis::kSnapshotEnds> snapshots_ended = {};
};

// "standalone", "connecting", "closed".
absl::string_view Name(redis::Topology topology);
absl::string_view Name(RedisOwnership ownership);
absl::string_view Name(redis::BreakerState state);

// Why requests for state fail now, in a few words; "" when they need not.
absl::string_view WhyUnusable(const RedisReport& report);

// Where others look at an engine that is being opened, open, or gone. Thread-safe.
class RedisMonitor {
 public:
  // None while there is no engine.
  std::optional<RedisReport> Read() const;

  // For the engine: what to read, until Detach has returned.
  void Attach(std::function<RedisReport()> read);
  void Detach();

 private:
  mutable absl::Mutex mutex_;
  // Called under the lock, so that nobody is in it when Detach returns.
  std::function<RedisReport()> read_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::storage
