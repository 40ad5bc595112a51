// What a server tells of the Redis that its state lives in.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tarn {

enum class RedisTopology { kUnknown, kStandalone, kSentinel, kCluster };

// Whether the server may write to the store there.
enum class RedisOwnership {
  kUnknown,
  kConnecting,  // Redis has not been reached yet.
  kStandby,     // Another daemon owns the store.
  kOwner,
  kDeposed,    // Another daemon has taken the store.
  kStoreLost,  // Redis has come back without the store.
};

enum class RedisRole { kUnknown, kPrimary, kReplica };

// How commands pass a node's circuit breaker.
enum class RedisBreaker { kUnknown, kClosed, kHalfOpen, kOpen };

// What a node does with a write before it acknowledges it.
enum class RedisPersistence {
  kUnknown,
  kNoLog,  // Its append-only file is off.
  kLog,    // It is on; the server may not ask how it is synced.
  kSyncNever,
  kSyncEverySecond,
  kSyncAlways,
};

struct RedisSlotRange {
  uint32_t first = 0;
  uint32_t last = 0;
};

// Of a replica only the first three are known.
struct RedisNode {
  std::string address;
  RedisRole role = RedisRole::kUnknown;
  bool reachable = false;             // A replica: by its primary.
  std::vector<RedisSlotRange> slots;  // In a cluster.
  uint32_t connection_count = 0;
  uint32_t idle_connection_count = 0;
  uint32_t connecting_count = 0;
  uint64_t pending_count = 0;                        // Commands without an answer.
  std::optional<std::chrono::microseconds> latency;  // Smoothed; none if it was not measured.
  RedisBreaker breaker = RedisBreaker::kUnknown;
  uint64_t memory_used_bytes = 0;   // 0 = unknown.
  uint64_t memory_limit_bytes = 0;  // 0 = none, or unknown.
  std::string version;              // Empty = unknown.
  RedisPersistence persistence = RedisPersistence::kUnknown;
};

struct RedisInfo {
  RedisTopology topology = RedisTopology::kUnknown;
  std::string url;  // Without user and password.
  RedisOwnership ownership = RedisOwnership::kUnknown;
  std::vector<RedisNode> nodes;  // Each primary, then its replicas.
  uint32_t sentinel_count = 0;   // That would tell of a failover.
  uint32_t wait_replicas = 0;    // How many have a write when it is acknowledged.
};

}  // namespace tarn
