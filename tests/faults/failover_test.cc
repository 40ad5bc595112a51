// Primaries are replaced and slots move, under concurrent clients.
//
// The clients' writes are acknowledged when every replica has them (wait_replicas), so none may be
// lost. A read may see a write before that, and a failover may lose it then: docs/durability.md.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "storage/redis/key_slot.h"
#include "storage/redis/partition.h"
#include "tests/catch.h"
#include "tests/faults/clients.h"
#include "tests/faults/redis_daemon.h"
#include "tests/storage/redis/support/redis_client.h"
#include "tests/storage/redis/support/redis_groups.h"

namespace tarn::testing {
namespace {

using std::chrono::seconds;

ClientsOptions To(const RedisDaemon& daemon) {
  return {.endpoints = {daemon.endpoint()}, .timeout = seconds(2), .seed = Seed()};
}

void Judge(Clients& clients, const RedisDaemon& daemon, Unacknowledged seen) {
  clients.AwaitAcknowledged(300);
  const Told told = clients.Finish(daemon.endpoint());
  WARN(told.Summary());
  CHECK(told.FirstAnomaly(seen) == "none");
  CHECK(told.longest < seconds(2) + kToSayThatItIsOver);
}

TEST_CASE("nothing acknowledged is lost when Sentinels replace the primary") {
  SentinelGroup group;
  RedisDaemon daemon(group.url("?wait_replicas=2"));
  Clients clients(To(daemon));
  for (uint64_t i = 0; i < Count(1, 4); ++i) {
    clients.AwaitAcknowledged(300);
    group.Failover();
  }
  Judge(clients, daemon, Unacknowledged::kMayVanish);
}

TEST_CASE("nothing acknowledged is lost when the primary is killed and Sentinels replace it") {
  SentinelGroup group;
  RedisDaemon daemon(group.url("?wait_replicas=2"));
  Clients clients(To(daemon));
  for (uint64_t i = 0; i < Count(1, 4); ++i) {
    clients.AwaitAcknowledged(300);
    group.KillPrimary();
  }
  Judge(clients, daemon, Unacknowledged::kMayVanish);
}

// The replicas are cut off before the primary dies.
TEST_CASE("what no replica has is not acknowledged, so nothing acknowledged is lost with it") {
  SentinelGroup group;
  RedisDaemon daemon(group.url("?wait_replicas=1"));
  Clients clients(To(daemon));
  for (uint64_t i = 0; i < Count(1, 4); ++i) {
    clients.AwaitAcknowledged(300);
    RedisClient primary(group.primary_port());
    REQUIRE(primary.Ask({"ACL", "SETUSER", "default", "-psync", "-sync"}) == "OK");
    REQUIRE(primary.Ask({"CLIENT", "KILL", "TYPE", "replica"}) == "(integer) 2");
    clients.AwaitCalls(10);
    group.KillPrimary();
  }
  Judge(clients, daemon, Unacknowledged::kMayVanish);
}

TEST_CASE("nothing acknowledged is lost when replicas take a cluster's primaries over") {
  ClusterGroup cluster;
  RedisDaemon daemon(cluster.url("?wait_replicas=1"));
  Clients clients(To(daemon));
  for (uint64_t i = 0; i < Count(1, 2); ++i) {
    clients.AwaitAcknowledged(300);
    cluster.Failover(3 + i);
  }
  Judge(clients, daemon, Unacknowledged::kMayVanish);
}

// Of the first of three primaries: those that hold entries, and others up to that number.
std::vector<uint16_t> SomeSlots(size_t count) {
  constexpr uint16_t kEnd = storage::redis::kSlots / 3;
  std::vector<uint16_t> slots;
  for (int partition = 0; partition < storage::redis::kPartitions; ++partition) {
    const auto slot =
        storage::redis::PartitionSlot(static_cast<storage::redis::Partition>(partition));
    if (slot < kEnd) slots.push_back(slot);
  }
  for (uint16_t slot = 0; slot < kEnd && slots.size() < count; ++slot) {
    if (std::find(slots.begin(), slots.end(), slot) == slots.end()) slots.push_back(slot);
  }
  return slots;
}

TEST_CASE("what clients are told stays linearizable while a cluster's slots move") {
  ClusterGroup cluster({.primaries = 3, .replicas = 0});
  RedisDaemon daemon(cluster.url());
  ClientsOptions options = To(daemon);
  options.keys = 12;  // In many slots.
  Clients clients(options);
  clients.AwaitAcknowledged(300);
  const std::vector<uint16_t> slots = SomeSlots(Count(200, 2'000));
  cluster.MoveSlots(slots, 0, 1);
  clients.AwaitAcknowledged(300);
  cluster.MoveSlots(slots, 1, 0);
  Judge(clients, daemon, Unacknowledged::kStays);
}

}  // namespace
}  // namespace tarn::testing
