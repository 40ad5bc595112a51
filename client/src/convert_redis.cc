#include "client/src/convert_redis.h"

namespace tarn::internal {
namespace {

RedisTopology FromProto(v1::RedisTopology topology) {
  switch (topology) {
    case v1::REDIS_TOPOLOGY_STANDALONE:
      return RedisTopology::kStandalone;
    case v1::REDIS_TOPOLOGY_SENTINEL:
      return RedisTopology::kSentinel;
    case v1::REDIS_TOPOLOGY_CLUSTER:
      return RedisTopology::kCluster;
    default:
      return RedisTopology::kUnknown;
  }
}

RedisOwnership FromProto(v1::RedisOwnership ownership) {
  switch (ownership) {
    case v1::REDIS_OWNERSHIP_CONNECTING:
      return RedisOwnership::kConnecting;
    case v1::REDIS_OWNERSHIP_STANDBY:
      return RedisOwnership::kStandby;
    case v1::REDIS_OWNERSHIP_OWNER:
      return RedisOwnership::kOwner;
    case v1::REDIS_OWNERSHIP_DEPOSED:
      return RedisOwnership::kDeposed;
    case v1::REDIS_OWNERSHIP_STORE_LOST:
      return RedisOwnership::kStoreLost;
    default:
      return RedisOwnership::kUnknown;
  }
}

RedisRole FromProto(v1::RedisRole role) {
  switch (role) {
    case v1::REDIS_ROLE_PRIMARY:
      return RedisRole::kPrimary;
    case v1::REDIS_ROLE_REPLICA:
      return RedisRole::kReplica;
    default:
      return RedisRole::kUnknown;
  }
}

RedisBreaker FromProto(v1::RedisBreaker breaker) {
  switch (breaker) {
    case v1::REDIS_BREAKER_CLOSED:
      return RedisBreaker::kClosed;
    case v1::REDIS_BREAKER_HALF_OPEN:
      return RedisBreaker::kHalfOpen;
    case v1::REDIS_BREAKER_OPEN:
      return RedisBreaker::kOpen;
    default:
      return RedisBreaker::kUnknown;
  }
}

RedisPersistence FromProto(v1::RedisPersistence persistence) {
  switch (persistence) {
    case v1::REDIS_PERSISTENCE_NO_LOG:
      return RedisPersistence::kNoLog;
    case v1::REDIS_PERSISTENCE_LOG:
      return RedisPersistence::kLog;
    case v1::REDIS_PERSISTENCE_SYNC_NEVER:
      return RedisPersistence::kSyncNever;
    case v1::REDIS_PERSISTENCE_SYNC_EVERY_SECOND:
      return RedisPersistence::kSyncEverySecond;
    case v1::REDIS_PERSISTENCE_SYNC_ALWAYS:
      return RedisPersistence::kSyncAlways;
    default:
      return RedisPersistence::kUnknown;
  }
}

RedisNode FromProto(const v1::RedisNode& proto) {
  RedisNode node;
  node.address = proto.address();
  node.role = FromProto(proto.role());
  node.reachable = proto.reachable();
  for (const auto& range : proto.slots()) node.slots.push_back({range.first(), range.last()});
  node.connection_count = proto.connection_count();
  node.idle_connection_count = proto.idle_connection_count();
  node.connecting_count = proto.connecting_count();
  node.pending_count = proto.pending_count();
  if (proto.has_latency()) {
    node.latency = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::seconds(proto.latency().seconds()) +
        std::chrono::nanoseconds(proto.latency().nanos()));
  }
  node.breaker = FromProto(proto.breaker());
  node.memory_used_bytes = proto.memory_used_bytes();
  node.memory_limit_bytes = proto.memory_limit_bytes();
  node.version = proto.version();
  node.persistence = FromProto(proto.persistence());
  return node;
}

}  // namespace

RedisInfo FromProto(const v1::RedisInfo& proto) {
  RedisInfo info;
  info.topology = FromProto(proto.topology());
  info.url = proto.url();
  info.ownership = FromProto(proto.ownership());
  for (const auto& node : proto.nodes()) info.nodes.push_back(FromProto(node));
  info.sentinel_count = proto.sentinel_count();
  info.wait_replicas = proto.wait_replicas();
  return info;
}

}  // namespace tarn::internal
