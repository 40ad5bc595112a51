#include "server/rpc/redis_messages.h"

#include <cstdint>

namespace tarn::server {
namespace {

using storage::RedisNodeReport;
using storage::RedisOwnership;
using storage::RedisPersistence;
using storage::redis::BreakerState;
using storage::redis::Topology;

tarn::v1::RedisTopology ToWire(Topology topology) {
  switch (topology) {
    case Topology::kStandalone:
      return tarn::v1::REDIS_TOPOLOGY_STANDALONE;
    case Topology::kSentinel:
      return tarn::v1::REDIS_TOPOLOGY_SENTINEL;
    case Topology::kCluster:
      return tarn::v1::REDIS_TOPOLOGY_CLUSTER;
  }
  return tarn::v1::REDIS_TOPOLOGY_UNSPECIFIED;
}

tarn::v1::RedisOwnership ToWire(RedisOwnership ownership) {
  switch (ownership) {
    case RedisOwnership::kConnecting:
      return tarn::v1::REDIS_OWNERSHIP_CONNECTING;
    case RedisOwnership::kStandby:
      return tarn::v1::REDIS_OWNERSHIP_STANDBY;
    case RedisOwnership::kOwner:
      return tarn::v1::REDIS_OWNERSHIP_OWNER;
    case RedisOwnership::kDeposed:
      return tarn::v1::REDIS_OWNERSHIP_DEPOSED;
    case RedisOwnership::kStoreLost:
      return tarn::v1::REDIS_OWNERSHIP_STORE_LOST;
  }
  return tarn::v1::REDIS_OWNERSHIP_UNSPECIFIED;
}

tarn::v1::RedisBreaker ToWire(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed:
      return tarn::v1::REDIS_BREAKER_CLOSED;
    case BreakerState::kHalfOpen:
      return tarn::v1::REDIS_BREAKER_HALF_OPEN;
    case BreakerState::kOpen:
      return tarn::v1::REDIS_BREAKER_OPEN;
  }
  return tarn::v1::REDIS_BREAKER_UNSPECIFIED;
}

tarn::v1::RedisPersistence ToWire(RedisPersistence persistence) {
  switch (persistence) {
    case RedisPersistence::kUnknown:
      return tarn::v1::REDIS_PERSISTENCE_UNSPECIFIED;
    case RedisPersistence::kNoLog:
      return tarn::v1::REDIS_PERSISTENCE_NO_LOG;
    case RedisPersistence::kLog:
      return tarn::v1::REDIS_PERSISTENCE_LOG;
    case RedisPersistence::kSyncNever:
      return tarn::v1::REDIS_PERSISTENCE_SYNC_NEVER;
    case RedisPersistence::kSyncEverySecond:
      return tarn::v1::REDIS_PERSISTENCE_SYNC_EVERY_SECOND;
    case RedisPersistence::kSyncAlways:
      return tarn::v1::REDIS_PERSISTENCE_SYNC_ALWAYS;
  }
  return tarn::v1::REDIS_PERSISTENCE_UNSPECIFIED;
}

void FillConnections(const storage::redis::PoolStats& pool, tarn::v1::RedisNode& message) {
  message.set_reachable(pool.open > 0);
  message.set_connection_count(static_cast<uint32_t>(pool.open));
  message.set_idle_connection_count(static_cast<uint32_t>(pool.idle));
  message.set_connecting_count(static_cast<uint32_t>(pool.connecting));
  message.set_pending_count(pool.pending);
  if (pool.latency_us == 0) return;
  auto& latency = *message.mutable_latency();
  latency.set_seconds(static_cast<int64_t>(pool.latency_us / 1'000'000));
  latency.set_nanos(static_cast<int32_t>(pool.latency_us % 1'000'000 * 1000));
}

void FillPrimary(const RedisNodeReport& node, tarn::v1::RedisNode& message) {
  message.set_address(node.stats.address);
  message.set_role(tarn::v1::REDIS_ROLE_PRIMARY);
  for (const storage::redis::SlotRange& range : node.stats.slots) {
    auto& slots = *message.add_slots();
    slots.set_first(range.first);
    slots.set_last(range.last);
  }
  FillConnections(node.stats.pool, message);
  message.set_breaker(ToWire(node.stats.breaker));
  if (!node.facts) return;
  message.set_memory_used_bytes(node.facts->memory_bytes);
  message.set_memory_limit_bytes(node.facts->max_memory_bytes);
  message.set_version(node.facts->version);
  message.set_persistence(ToWire(node.facts->persistence));
}

}  // namespace

void FillRedis(const storage::RedisReport& report, tarn::v1::RedisInfo& message) {
  message.set_topology(ToWire(report.topology));
  message.set_url(report.url);
  message.set_ownership(ToWire(report.ownership));
  message.set_sentinel_count(static_cast<uint32_t>(report.routing.sentinels));
  message.set_wait_replicas(static_cast<uint32_t>(report.wait_replicas));
  for (const RedisNodeReport& node : report.nodes) {
    FillPrimary(node, *message.add_nodes());
    if (!node.facts) continue;
    for (const storage::RedisReplica& one : node.facts->replicas) {
      auto& replica = *message.add_nodes();
      replica.set_address(one.address);
      replica.set_role(tarn::v1::REDIS_ROLE_REPLICA);
      replica.set_reachable(one.online);
    }
  }
}

}  // namespace tarn::server
