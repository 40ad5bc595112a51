#include "server/metrics/redis_figures.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/metrics/exporter.h"
#include "tests/catch.h"

namespace tarn::server {
namespace {

using storage::RedisNodeReport;
using storage::RedisReport;
using storage::RedisServerFacts;
using storage::redis::Event;

bool HasLine(const std::string& text, const std::string& line) {
  for (const absl::string_view one : absl::StrSplit(text, '\n')) {
    if (one == line) return true;
  }
  return false;
}

int CountOf(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
  return count;
}

std::string Render(const RedisReport& report) {
  MetricsSnapshot snapshot;
  snapshot.redis = report;
  return RenderMetrics(snapshot);
}

RedisReport WithNode(const RedisNodeReport& node) {
  RedisReport report;
  report.nodes.push_back(node);
  return report;
}

RedisNodeReport Node(const std::string& address) {
  RedisNodeReport node;
  node.stats.address = address;
  return node;
}

TEST_CASE("other engines have no metrics of Redis") {
  CHECK(RenderMetrics({}).find("tarn_redis_") == std::string::npos);
}

TEST_CASE("a daemon that waits for its Redis says so, before it knows any node") {
  const std::string text = Render({.topology = storage::redis::Topology::kCluster});
  CHECK(HasLine(text, R"(tarn_redis_info{topology="cluster"} 1)"));
  CHECK(HasLine(text, R"(tarn_redis_ownership{state="connecting"} 1)"));
  CHECK(HasLine(text, R"(tarn_redis_ownership{state="owner"} 0)"));
  CHECK(HasLine(text, "tarn_redis_nodes 0"));
}

TEST_CASE("connections of a node are busy, idle or being opened") {
  RedisNodeReport node = Node("a:1");
  node.stats.pool = {.open = 3, .idle = 1, .connecting = 2, .pending = 7, .opened = 4, .failed = 5};
  const std::string text = Render(WithNode(node));
  CHECK(HasLine(text, R"(tarn_redis_node_up{node="a:1"} 1)"));
  CHECK(HasLine(text, R"(tarn_redis_connections{node="a:1",state="busy"} 2)"));
  CHECK(HasLine(text, R"(tarn_redis_connections{node="a:1",state="idle"} 1)"));
  CHECK(HasLine(text, R"(tarn_redis_connections{node="a:1",state="connecting"} 2)"));
  CHECK(HasLine(text, R"(tarn_redis_commands_in_flight{node="a:1"} 7)"));
  CHECK(HasLine(text, R"(tarn_redis_connections_opened_total{node="a:1"} 4)"));
  CHECK(HasLine(text, R"(tarn_redis_connections_failed_total{node="a:1"} 5)"));
}

TEST_CASE("the state of a node's circuit breaker is one of three") {
  RedisNodeReport node = Node("a:1");
  node.stats.breaker = storage::redis::BreakerState::kOpen;
  node.stats.breaker_opened = 3;
  const std::string text = Render(WithNode(node));
  CHECK(HasLine(text, R"(tarn_redis_node_up{node="a:1"} 0)"));
  CHECK(HasLine(text, R"(tarn_redis_breaker_state{node="a:1",state="open"} 1)"));
  CHECK(HasLine(text, R"(tarn_redis_breaker_state{node="a:1",state="half_open"} 0)"));
  CHECK(HasLine(text, R"(tarn_redis_breaker_state{node="a:1",state="closed"} 0)"));
  CHECK(HasLine(text, R"(tarn_redis_breaker_opened_total{node="a:1"} 3)"));
}

TEST_CASE("errors of a node appear by kind, those that have happened") {
  RedisNodeReport node = Node("a:1");
  node.stats.pool.traffic.errors[static_cast<size_t>(Event::kLostSent)] = 2;
  node.stats.pool.traffic.errors[static_cast<size_t>(Event::kOutOfMemory)] = 1;
  const std::string text = Render(WithNode(node));
  CHECK(HasLine(text, R"(tarn_redis_errors_total{node="a:1",kind="connection_lost"} 2)"));
  CHECK(HasLine(text, R"(tarn_redis_errors_total{node="a:1",kind="OOM"} 1)"));
  CHECK(CountOf(text, "tarn_redis_errors_total{") == 2);
}

TEST_CASE("latencies of a node are a cumulative histogram in seconds") {
  RedisNodeReport node = Node("a:1");
  storage::redis::TrafficTotals& traffic = node.stats.pool.traffic;
  traffic.latency[0] = 2;
  traffic.latency[1] = 3;
  traffic.latency.back() = 1;
  traffic.latency_sum_ns = 1'500'000'000;
  const std::string text = Render(WithNode(node));
  const std::string name = "tarn_redis_command_duration_seconds";
  CHECK(HasLine(text, name + R"(_bucket{node="a:1",le="5e-05"} 2)"));
  CHECK(HasLine(text, name + R"(_bucket{node="a:1",le="0.0001"} 5)"));
  CHECK(HasLine(text, name + R"(_bucket{node="a:1",le="3"} 5)"));
  CHECK(HasLine(text, name + R"(_bucket{node="a:1",le="+Inf"} 6)"));
  CHECK(HasLine(text, name + R"(_count{node="a:1"} 6)"));
  CHECK(HasLine(text, name + R"(_sum{node="a:1"} 1.5)"));
}

TEST_CASE("what a server says of itself appears once it has said something") {
  RedisReport report = WithNode(Node("a:1"));
  CHECK(Render(report).find("tarn_redis_memory_bytes{") == std::string::npos);
  report.nodes[0].facts = RedisServerFacts{
      .memory_bytes = 10, .max_memory_bytes = 20, .replicas = {{"b:2", true}, {"c:3", false}}};
  const std::string text = Render(report);
  CHECK(HasLine(text, R"(tarn_redis_memory_bytes{node="a:1"} 10)"));
  CHECK(HasLine(text, R"(tarn_redis_memory_limit_bytes{node="a:1"} 20)"));
  CHECK(HasLine(text, R"(tarn_redis_replicas{node="a:1"} 1)"));
}

TEST_CASE("replicas that acknowledged appear only where writes wait for them") {
  RedisReport report = WithNode(Node("a:1"));
  CHECK(Render(report).find("tarn_redis_replicas_acknowledged{") == std::string::npos);
  report.wait_replicas = 2;
  report.nodes[0].stats.pool.traffic.acknowledged_replicas = 1;
  report.nodes[0].stats.pool.traffic.short_waits = 4;
  const std::string text = Render(report);
  CHECK(HasLine(text, "tarn_redis_wait_replicas 2"));
  CHECK(HasLine(text, R"(tarn_redis_replicas_acknowledged{node="a:1"} 1)"));
  CHECK(HasLine(text, R"(tarn_redis_short_waits_total{node="a:1"} 4)"));
}

TEST_CASE("redirects, failovers and lost writes are counted for the whole store") {
  RedisReport report;
  report.routing = {.moved = 1,
                    .asked = 2,
                    .tried_again = 3,
                    .given_up = 4,
                    .switches = 5,
                    .questions = 6,
                    .unanswered = 7,
                    .sentinels = 8};
  report.node_changes = 9;
  report.retries = 10;
  report.lost = 11;
  report.settled = 12;
  report.unknown = 13;
  report.healed = 14;
  report.snapshots_ended[2] = 15;
  const std::string text = Render(report);
  for (const char* line :
       {R"(tarn_redis_redirects_total{kind="moved"} 1)",
        R"(tarn_redis_redirects_total{kind="ask"} 2)",
        R"(tarn_redis_redirects_total{kind="tryagain"} 3)", "tarn_redis_redirects_given_up_total 4",
        "tarn_redis_failovers_total 5", "tarn_redis_topology_questions_total 6",
        "tarn_redis_topology_unanswered_total 7", "tarn_redis_sentinels 8",
        "tarn_redis_node_changes_total 9", "tarn_redis_retries_total 10",
        "tarn_redis_writes_lost_total 11", "tarn_redis_writes_settled_total 12",
        "tarn_redis_writes_unknown_total 13", "tarn_redis_healed_entries_total 14",
        R"(tarn_redis_snapshots_ended_total{reason="node_changed"} 15)"}) {
    INFO(line);
    CHECK(HasLine(text, line));
  }
}

TEST_CASE("so many nodes and no more have metrics of their own") {
  RedisReport report;
  for (size_t i = 0; i < kMaxRedisNodeLabels + 5; ++i) {
    report.nodes.push_back(Node(absl::StrCat("host", i, ":6379")));
  }
  const std::string text = Render(report);
  CHECK(CountOf(text, "tarn_redis_node_up{") == static_cast<int>(kMaxRedisNodeLabels));
  CHECK(HasLine(text, absl::StrCat("tarn_redis_nodes ", kMaxRedisNodeLabels + 5)));
}

}  // namespace
}  // namespace tarn::server
