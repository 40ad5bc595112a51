// What a server tells of its Redis, as callers of libtarn get it.
#include "client/src/convert_redis.h"

#include <chrono>
#include <utility>

#include "tests/catch.h"

namespace tarn::testing {
namespace {

using internal::FromProto;
using std::chrono::microseconds;

// No two of its figures are the same.
v1::RedisNode Primary() {
  v1::RedisNode node;
  node.set_address("host:1");
  node.set_role(v1::REDIS_ROLE_PRIMARY);
  node.set_reachable(true);
  for (const auto& [first, last] : {std::pair(2, 3), std::pair(5, 16'383)}) {
    auto& range = *node.add_slots();
    range.set_first(first);
    range.set_last(last);
  }
  node.set_connection_count(17);
  node.set_idle_connection_count(7);
  node.set_connecting_count(8);
  node.set_pending_count(9);
  node.mutable_latency()->set_seconds(3);
  node.mutable_latency()->set_nanos(11'999);
  node.set_breaker(v1::REDIS_BREAKER_HALF_OPEN);
  node.set_memory_used_bytes(12);
  node.set_memory_limit_bytes(13);
  node.set_version("7.0.15");
  node.set_persistence(v1::REDIS_PERSISTENCE_SYNC_EVERY_SECOND);
  return node;
}

RedisNode NodeOf(const v1::RedisNode& node) {
  v1::RedisInfo info;
  *info.add_nodes() = node;
  return FromProto(info).nodes.at(0);
}

TEST_CASE("what a server tells of its Redis arrives whole") {
  v1::RedisInfo proto;
  proto.set_topology(v1::REDIS_TOPOLOGY_CLUSTER);
  proto.set_url("redis+cluster://host:1");
  proto.set_ownership(v1::REDIS_OWNERSHIP_STANDBY);
  proto.add_nodes()->set_address("first");
  proto.add_nodes()->set_address("second");
  proto.set_sentinel_count(20);
  proto.set_wait_replicas(21);
  const RedisInfo info = FromProto(proto);
  CHECK(info.topology == RedisTopology::kCluster);
  CHECK(info.url == "redis+cluster://host:1");
  CHECK(info.ownership == RedisOwnership::kStandby);
  REQUIRE(info.nodes.size() == 2);
  CHECK(info.nodes[0].address == "first");
  CHECK(info.nodes[1].address == "second");
  CHECK(info.sentinel_count == 20);
  CHECK(info.wait_replicas == 21);
}

TEST_CASE("a server of Redis arrives whole") {
  const RedisNode node = NodeOf(Primary());
  CHECK(node.address == "host:1");
  CHECK(node.role == RedisRole::kPrimary);
  CHECK(node.reachable);
  REQUIRE(node.slots.size() == 2);
  CHECK((node.slots[0].first == 2 && node.slots[0].last == 3));
  CHECK((node.slots[1].first == 5 && node.slots[1].last == 16'383));
  CHECK(node.connection_count == 17);
  CHECK(node.idle_connection_count == 7);
  CHECK(node.connecting_count == 8);
  CHECK(node.pending_count == 9);
  CHECK(node.latency == microseconds(3'000'011));
  CHECK(node.breaker == RedisBreaker::kHalfOpen);
  CHECK(node.memory_used_bytes == 12);
  CHECK(node.memory_limit_bytes == 13);
  CHECK(node.version == "7.0.15");
  CHECK(node.persistence == RedisPersistence::kSyncEverySecond);
}

TEST_CASE("of a server of Redis nothing is made up that was not told") {
  const RedisNode node = NodeOf({});
  CHECK(node.role == RedisRole::kUnknown);
  CHECK_FALSE(node.reachable);
  CHECK(node.slots.empty());
  CHECK_FALSE(node.latency);
  CHECK(node.breaker == RedisBreaker::kUnknown);
  CHECK(node.persistence == RedisPersistence::kUnknown);
}

// A newer server may send what this client does not know: 99.
TEST_CASE("every topology, ownership and role of a Redis arrives, one that is new as unknown") {
  const std::pair<int, RedisTopology> topologies[] = {
      {v1::REDIS_TOPOLOGY_UNSPECIFIED, RedisTopology::kUnknown},
      {v1::REDIS_TOPOLOGY_STANDALONE, RedisTopology::kStandalone},
      {v1::REDIS_TOPOLOGY_SENTINEL, RedisTopology::kSentinel},
      {v1::REDIS_TOPOLOGY_CLUSTER, RedisTopology::kCluster},
      {99, RedisTopology::kUnknown}};
  for (const auto& [wire, expected] : topologies) {
    v1::RedisInfo proto;
    proto.set_topology(static_cast<v1::RedisTopology>(wire));
    CHECK(FromProto(proto).topology == expected);
  }
  const std::pair<int, RedisOwnership> ownerships[] = {
      {v1::REDIS_OWNERSHIP_UNSPECIFIED, RedisOwnership::kUnknown},
      {v1::REDIS_OWNERSHIP_CONNECTING, RedisOwnership::kConnecting},
      {v1::REDIS_OWNERSHIP_STANDBY, RedisOwnership::kStandby},
      {v1::REDIS_OWNERSHIP_OWNER, RedisOwnership::kOwner},
      {v1::REDIS_OWNERSHIP_DEPOSED, RedisOwnership::kDeposed},
      {v1::REDIS_OWNERSHIP_STORE_LOST, RedisOwnership::kStoreLost},
      {99, RedisOwnership::kUnknown}};
  for (const auto& [wire, expected] : ownerships) {
    v1::RedisInfo proto;
    proto.set_ownership(static_cast<v1::RedisOwnership>(wire));
    CHECK(FromProto(proto).ownership == expected);
  }
  const std::pair<int, RedisRole> roles[] = {{v1::REDIS_ROLE_UNSPECIFIED, RedisRole::kUnknown},
                                             {v1::REDIS_ROLE_PRIMARY, RedisRole::kPrimary},
                                             {v1::REDIS_ROLE_REPLICA, RedisRole::kReplica},
                                             {99, RedisRole::kUnknown}};
  for (const auto& [wire, expected] : roles) {
    v1::RedisNode proto;
    proto.set_role(static_cast<v1::RedisRole>(wire));
    CHECK(NodeOf(proto).role == expected);
  }
}

TEST_CASE("every state of a breaker and persistence arrives, one that is new as unknown") {
  const std::pair<int, RedisBreaker> breakers[] = {
      {v1::REDIS_BREAKER_UNSPECIFIED, RedisBreaker::kUnknown},
      {v1::REDIS_BREAKER_CLOSED, RedisBreaker::kClosed},
      {v1::REDIS_BREAKER_HALF_OPEN, RedisBreaker::kHalfOpen},
      {v1::REDIS_BREAKER_OPEN, RedisBreaker::kOpen},
      {99, RedisBreaker::kUnknown}};
  for (const auto& [wire, expected] : breakers) {
    v1::RedisNode proto;
    proto.set_breaker(static_cast<v1::RedisBreaker>(wire));
    CHECK(NodeOf(proto).breaker == expected);
  }
  const std::pair<int, RedisPersistence> persistences[] = {
      {v1::REDIS_PERSISTENCE_UNSPECIFIED, RedisPersistence::kUnknown},
      {v1::REDIS_PERSISTENCE_NO_LOG, RedisPersistence::kNoLog},
      {v1::REDIS_PERSISTENCE_LOG, RedisPersistence::kLog},
      {v1::REDIS_PERSISTENCE_SYNC_NEVER, RedisPersistence::kSyncNever},
      {v1::REDIS_PERSISTENCE_SYNC_EVERY_SECOND, RedisPersistence::kSyncEverySecond},
      {v1::REDIS_PERSISTENCE_SYNC_ALWAYS, RedisPersistence::kSyncAlways},
      {99, RedisPersistence::kUnknown}};
  for (const auto& [wire, expected] : persistences) {
    v1::RedisNode proto;
    proto.set_persistence(static_cast<v1::RedisPersistence>(wire));
    CHECK(NodeOf(proto).persistence == expected);
  }
}

}  // namespace
}  // namespace tarn::testing
