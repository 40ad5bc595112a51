#include "server/rpc/redis_messages.h"

#include <string>
#include <utility>
#include <vector>

#include "tests/catch.h"

namespace tarn::server {
namespace {

using storage::RedisNodeReport;
using storage::RedisOwnership;
using storage::RedisPersistence;
using storage::RedisReport;
using storage::redis::BreakerState;
using storage::redis::Topology;

tarn::v1::RedisInfo Filled(const RedisReport& report) {
  tarn::v1::RedisInfo message;
  FillRedis(report, message);
  return message;
}

// No two of its figures are the same.
RedisNodeReport PrimaryOfTwo() {
  RedisNodeReport node;
  node.stats.address = "host:1";
  node.stats.slots = {{2, 3}, {5, 16'383}};
  node.stats.pool = {
      .open = 17, .idle = 7, .connecting = 8, .pending = 9, .keys = 10, .latency_us = 3'000'011};
  node.stats.breaker = BreakerState::kHalfOpen;
  node.facts = {.version = "7.0.15",
                .memory_bytes = 12,
                .max_memory_bytes = 13,
                .persistence = RedisPersistence::kSyncEverySecond,
                .replicas = {{"host:14", true}, {"host:15", false}}};
  return node;
}

RedisReport With(std::vector<RedisNodeReport> nodes) { return {.nodes = std::move(nodes)}; }

TEST_CASE("what the engine reports of its Redis is told whole") {
  RedisReport report = With({PrimaryOfTwo()});
  report.topology = Topology::kCluster;
  report.url = "redis+cluster://host:1";
  report.ownership = RedisOwnership::kOwner;
  report.routing.sentinels = 20;
  report.wait_replicas = 21;
  const tarn::v1::RedisInfo message = Filled(report);
  CHECK(message.topology() == tarn::v1::REDIS_TOPOLOGY_CLUSTER);
  CHECK(message.url() == "redis+cluster://host:1");
  CHECK(message.ownership() == tarn::v1::REDIS_OWNERSHIP_OWNER);
  CHECK(message.sentinel_count() == 20);
  CHECK(message.wait_replicas() == 21);
  CHECK(message.nodes_size() == 3);
}

TEST_CASE("a primary is told with its slots, connections, latency and memory") {
  const tarn::v1::RedisInfo message = Filled(With({PrimaryOfTwo()}));
  const tarn::v1::RedisNode& node = message.nodes(0);
  CHECK(node.address() == "host:1");
  CHECK(node.role() == tarn::v1::REDIS_ROLE_PRIMARY);
  CHECK(node.reachable());
  REQUIRE(node.slots_size() == 2);
  CHECK(node.slots(0).first() == 2);
  CHECK(node.slots(0).last() == 3);
  CHECK(node.slots(1).first() == 5);
  CHECK(node.slots(1).last() == 16'383);
  CHECK(node.connection_count() == 17);
  CHECK(node.idle_connection_count() == 7);
  CHECK(node.connecting_count() == 8);
  CHECK(node.pending_count() == 9);
  CHECK(node.latency().seconds() == 3);
  CHECK(node.latency().nanos() == 11'000);
  CHECK(node.breaker() == tarn::v1::REDIS_BREAKER_HALF_OPEN);
  CHECK(node.memory_used_bytes() == 12);
  CHECK(node.memory_limit_bytes() == 13);
  CHECK(node.version() == "7.0.15");
  CHECK(node.persistence() == tarn::v1::REDIS_PERSISTENCE_SYNC_EVERY_SECOND);
  // All that there is: a field that is new is to be filled, too.
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  node.GetReflection()->ListFields(node, &fields);
  CHECK(static_cast<int>(fields.size()) == tarn::v1::RedisNode::descriptor()->field_count());
}

TEST_CASE("replicas come behind their primary, with what it says of them and nothing else") {
  RedisNodeReport other = PrimaryOfTwo();
  other.stats.address = "other:1";
  const tarn::v1::RedisInfo message = Filled(With({PrimaryOfTwo(), other}));
  std::vector<std::string> addresses;
  for (const auto& node : message.nodes()) addresses.push_back(node.address());
  CHECK(addresses ==
        std::vector<std::string>{"host:1", "host:14", "host:15", "other:1", "host:14", "host:15"});
  tarn::v1::RedisNode replica;
  replica.set_address("host:14");
  replica.set_role(tarn::v1::REDIS_ROLE_REPLICA);
  replica.set_reachable(true);
  CHECK(message.nodes(1).DebugString() == replica.DebugString());
  CHECK(message.nodes(2).role() == tarn::v1::REDIS_ROLE_REPLICA);
  CHECK_FALSE(message.nodes(2).reachable());
}

TEST_CASE("a node that has said nothing yet is told without what is not known of it") {
  RedisNodeReport node = PrimaryOfTwo();
  node.facts.reset();
  node.stats.pool = {.connecting = 1};
  const tarn::v1::RedisInfo message = Filled(With({node}));
  REQUIRE(message.nodes_size() == 1);
  CHECK_FALSE(message.nodes(0).reachable());
  CHECK_FALSE(message.nodes(0).has_latency());
  CHECK(message.nodes(0).version().empty());
  CHECK(message.nodes(0).persistence() == tarn::v1::REDIS_PERSISTENCE_UNSPECIFIED);
}

TEST_CASE("every topology and ownership has its name on the wire") {
  const std::pair<Topology, tarn::v1::RedisTopology> topologies[] = {
      {Topology::kStandalone, tarn::v1::REDIS_TOPOLOGY_STANDALONE},
      {Topology::kSentinel, tarn::v1::REDIS_TOPOLOGY_SENTINEL},
      {Topology::kCluster, tarn::v1::REDIS_TOPOLOGY_CLUSTER},
      {static_cast<Topology>(99), tarn::v1::REDIS_TOPOLOGY_UNSPECIFIED}};
  for (const auto& [topology, wire] : topologies) {
    CHECK(Filled({.topology = topology}).topology() == wire);
  }
  const std::pair<RedisOwnership, tarn::v1::RedisOwnership> ownerships[] = {
      {RedisOwnership::kConnecting, tarn::v1::REDIS_OWNERSHIP_CONNECTING},
      {RedisOwnership::kStandby, tarn::v1::REDIS_OWNERSHIP_STANDBY},
      {RedisOwnership::kOwner, tarn::v1::REDIS_OWNERSHIP_OWNER},
      {RedisOwnership::kDeposed, tarn::v1::REDIS_OWNERSHIP_DEPOSED},
      {RedisOwnership::kStoreLost, tarn::v1::REDIS_OWNERSHIP_STORE_LOST},
      {static_cast<RedisOwnership>(99), tarn::v1::REDIS_OWNERSHIP_UNSPECIFIED}};
  for (const auto& [ownership, wire] : ownerships) {
    CHECK(Filled({.ownership = ownership}).ownership() == wire);
  }
}

TEST_CASE("every state of a breaker and every persistence has its name on the wire") {
  const std::pair<BreakerState, tarn::v1::RedisBreaker> breakers[] = {
      {BreakerState::kClosed, tarn::v1::REDIS_BREAKER_CLOSED},
      {BreakerState::kHalfOpen, tarn::v1::REDIS_BREAKER_HALF_OPEN},
      {BreakerState::kOpen, tarn::v1::REDIS_BREAKER_OPEN},
      {static_cast<BreakerState>(99), tarn::v1::REDIS_BREAKER_UNSPECIFIED}};
  for (const auto& [breaker, wire] : breakers) {
    RedisNodeReport node;
    node.stats.breaker = breaker;
    CHECK(Filled(With({node})).nodes(0).breaker() == wire);
  }
  const std::pair<RedisPersistence, tarn::v1::RedisPersistence> persistences[] = {
      {RedisPersistence::kUnknown, tarn::v1::REDIS_PERSISTENCE_UNSPECIFIED},
      {RedisPersistence::kNoLog, tarn::v1::REDIS_PERSISTENCE_NO_LOG},
      {RedisPersistence::kLog, tarn::v1::REDIS_PERSISTENCE_LOG},
      {RedisPersistence::kSyncNever, tarn::v1::REDIS_PERSISTENCE_SYNC_NEVER},
      {RedisPersistence::kSyncEverySecond, tarn::v1::REDIS_PERSISTENCE_SYNC_EVERY_SECOND},
      {RedisPersistence::kSyncAlways, tarn::v1::REDIS_PERSISTENCE_SYNC_ALWAYS},
      {static_cast<RedisPersistence>(99), tarn::v1::REDIS_PERSISTENCE_UNSPECIFIED}};
  for (const auto& [persistence, wire] : persistences) {
    RedisNodeReport node = PrimaryOfTwo();
    node.facts->persistence = persistence;
    CHECK(Filled(With({node})).nodes(0).persistence() == wire);
  }
}

}  // namespace
}  // namespace tarn::server
