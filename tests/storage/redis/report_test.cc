// What operators see of Redis: counted, read from INFO and CONFIG, handed on.
#include <string>
#include <vector>

#include "storage/redis/reply_parser.h"
#include "storage/redis/survey.h"
#include "storage/redis/traffic.h"
#include "storage/redis_report.h"
#include "tests/catch.h"

namespace tarn::storage {
namespace {

using redis::Event;
using redis::ParseAppendFsync;
using redis::ParseServerInfo;
using redis::Traffic;
using redis::TrafficTotals;

redis::Reply Parse(const std::string& bytes) {
  redis::ReplyParser parser({});
  REQUIRE(parser.Feed(bytes).ok());
  auto reply = parser.Next();
  REQUIRE(reply.ok());
  REQUIRE(reply->has_value());
  return *std::move(*reply);
}

RedisPersistence Fsync(const std::string& bytes) { return ParseAppendFsync(Parse(bytes).view()); }

TEST_CASE("memory, version, log and replicas are read from INFO") {
  const RedisServerFacts facts = ParseServerInfo(
      "# Server\r\nredis_version:7.0.15\r\n\r\n# Memory\r\nused_memory:1234\r\n"
      "used_memory_rss:9\r\nmaxmemory:5678\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n"
      "connected_slaves:2\r\nslave0:ip=10.0.0.1,port=6380,state=online,offset=1,lag=0\r\n"
      "slave1:ip=::1,port=6381,state=wait_bgsave,offset=0,lag=0\r\nslave_read_only:1\r\n");
  CHECK(facts.version == "7.0.15");
  CHECK(facts.memory_bytes == 1234);
  CHECK(facts.max_memory_bytes == 5678);
  CHECK(facts.persistence == RedisPersistence::kLog);
  CHECK(facts.replicas ==
        std::vector<RedisReplica>{{"10.0.0.1:6380", true}, {"[::1]:6381", false}});
}

TEST_CASE("a server whose append-only file is off keeps nothing of a write but memory") {
  CHECK(ParseServerInfo("aof_enabled:0\r\n").persistence == RedisPersistence::kNoLog);
}

TEST_CASE("an INFO that makes no sense tells nothing") {
  const RedisServerFacts facts = ParseServerInfo("used_memory:much\r\naof_enabled:1\r\n");
  CHECK(facts.memory_bytes == 0);
  CHECK(facts.persistence == RedisPersistence::kUnknown);
}

TEST_CASE("how the log is synced is read from the configuration, if that may be asked for") {
  const std::string start = "*2\r\n$11\r\nappendfsync\r\n";
  CHECK(Fsync(start + "$6\r\nalways\r\n") == RedisPersistence::kSyncAlways);
  CHECK(Fsync(start + "$8\r\neverysec\r\n") == RedisPersistence::kSyncEverySecond);
  CHECK(Fsync(start + "$2\r\nno\r\n") == RedisPersistence::kSyncNever);
  CHECK(Fsync(start + "$5\r\nnever\r\n") == RedisPersistence::kLog);
  CHECK(Fsync("*0\r\n") == RedisPersistence::kLog);
  CHECK(Fsync("-NOPERM no\r\n") == RedisPersistence::kLog);
}

TEST_CASE("traffic is counted by what it was") {
  Traffic traffic;
  traffic.CountCommand();
  traffic.CountSent(10);
  traffic.CountReceived(20);
  traffic.CountError(Event::kMoved);
  const TrafficTotals totals = traffic.Read();
  CHECK(totals.commands == 1);
  CHECK(totals.sent_bytes == 10);
  CHECK(totals.received_bytes == 20);
  CHECK(totals.errors[static_cast<size_t>(Event::kMoved)] == 1);
  CHECK(totals.acknowledged_replicas == -1);
}

TEST_CASE("a latency counts in the first bucket that holds it, and moves the smoothed one") {
  Traffic traffic;
  traffic.CountLatency(50'000);
  traffic.CountLatency(50'001);
  traffic.CountLatency(4'000'000'000);
  const TrafficTotals totals = traffic.Read();
  CHECK(totals.latency[0] == 1);
  CHECK(totals.latency[1] == 1);
  CHECK(totals.latency.back() == 1);
  CHECK(totals.latency_sum_ns == 4'000'100'001);
  CHECK(traffic.latency_ns() > 50'000);
  CHECK(traffic.latency_ns() < 1'000'000'000);
}

TEST_CASE("a WAIT is short when fewer replicas have the writes than were asked for") {
  Traffic traffic;
  traffic.CountWait(2, 2);
  CHECK(traffic.Read().short_waits == 0);
  traffic.CountWait(1, 2);
  CHECK(traffic.Read().short_waits == 1);
  CHECK(traffic.Read().acknowledged_replicas == 1);
}

TEST_CASE("a monitor shows an engine from when it is attached until it is detached") {
  RedisMonitor monitor;
  CHECK_FALSE(monitor.Read().has_value());
  monitor.Attach([] { return RedisReport{.url = "redis://a:1"}; });
  REQUIRE(monitor.Read().has_value());
  CHECK(monitor.Read()->url == "redis://a:1");
  monitor.Detach();
  CHECK_FALSE(monitor.Read().has_value());
}

TEST_CASE("a Redis that cannot be used is not ready, and says why") {
  RedisReport report;
  report.ownership = RedisOwnership::kOwner;
  report.nodes.resize(2);
  report.nodes[0].stats.partitions = 256;
  CHECK(WhyUnusable(report) == "Redis cannot be reached");
  // A node that serves nothing is not needed.
  report.nodes[0].stats.pool.open = 1;
  CHECK(WhyUnusable(report).empty());
  report.forbidden = true;
  CHECK(WhyUnusable(report) == "Redis refuses this tarnd's user a command that it needs");
  report.ownership = RedisOwnership::kStoreLost;
  CHECK(WhyUnusable(report) == "Redis came back without the store");
  report.ownership = RedisOwnership::kDeposed;
  CHECK(WhyUnusable(report) == "another tarnd has taken the store");
}

}  // namespace
}  // namespace tarn::storage
