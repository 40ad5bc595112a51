#include "server/metrics/redis_figures.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "server/metrics/families.h"
#include <prometheus/metric_family.h>

namespace tarn::server {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using storage::Name;
using storage::RedisNodeReport;
using storage::RedisOwnership;
using storage::RedisReport;
using storage::redis::BreakerState;
using storage::redis::Event;
using storage::redis::PoolStats;
using storage::redis::SnapshotEnd;
using storage::redis::TrafficTotals;
using Nodes = std::vector<RedisNodeReport>;

constexpr std::array kOwnerships = {RedisOwnership::kConnecting, RedisOwnership::kStandby,
                                    RedisOwnership::kOwner, RedisOwnership::kDeposed,
                                    RedisOwnership::kStoreLost};
constexpr std::array kBreakers = {BreakerState::kClosed, BreakerState::kHalfOpen,
                                  BreakerState::kOpen};

std::string ToString(absl::string_view text) { return std::string(text.data(), text.size()); }

Labels Of(const RedisNodeReport& node) { return {{"node", node.stats.address}}; }

// "connection_lost" of "connection lost"; codes of Redis' own as they are.
std::string KindName(Event event) {
  std::string name = ToString(storage::redis::EventName(event));
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

// One value of each node.
template <typename Value>
void AddGauges(const char* name, const char* help, const Nodes& nodes, Value value,
               Families* families) {
  MetricFamily& family = families->Add(name, help, MetricType::Gauge);
  for (const RedisNodeReport& node : nodes)
    Families::AddGauge(family, static_cast<double>(value(node)), Of(node));
}

template <typename Value>
void AddCounters(const char* name, const char* help, const Nodes& nodes, Value value,
                 Families* families) {
  MetricFamily& family = families->Add(name, help, MetricType::Counter);
  for (const RedisNodeReport& node : nodes)
    Families::AddCounter(family, static_cast<double>(value(node)), Of(node));
}

// --- connections ---

void AddConnections(const Nodes& nodes, Families* families) {
  AddGauges(
      "tarn_redis_node_up", "1 while there is a connection to the node, else 0.", nodes,
      [](const RedisNodeReport& node) { return node.stats.pool.open > 0 ? 1 : 0; }, families);
  MetricFamily& family = families->Add(
      "tarn_redis_connections",
      "Connections to the node by state: busy, idle (nothing is under way), connecting.",
      MetricType::Gauge);
  for (const RedisNodeReport& node : nodes) {
    const PoolStats& pool = node.stats.pool;
    const auto add = [&](const char* state, int count) {
      Families::AddGauge(family, count, {{"node", node.stats.address}, {"state", state}});
    };
    add("busy", pool.open - pool.idle);
    add("idle", pool.idle);
    add("connecting", pool.connecting);
  }
  AddCounters(
      "tarn_redis_connections_opened_total",
      "Connections to the node that were opened, those after a loss included.", nodes,
      [](const RedisNodeReport& node) { return node.stats.pool.opened; }, families);
  AddCounters(
      "tarn_redis_connections_failed_total",
      "Connections to the node, and attempts to open one, that came to an end.", nodes,
      [](const RedisNodeReport& node) { return node.stats.pool.failed; }, families);
}

void AddBreakers(const Nodes& nodes, Families* families) {
  MetricFamily& family =
      families->Add("tarn_redis_breaker_state",
                    "1 for the state that the node's circuit breaker is in: closed (commands go "
                    "through), half_open (one at a time), open (none).",
                    MetricType::Gauge);
  for (const RedisNodeReport& node : nodes) {
    for (const BreakerState state : kBreakers) {
      Families::AddGauge(family, node.stats.breaker == state ? 1 : 0,
                         {{"node", node.stats.address}, {"state", ToString(Name(state))}});
    }
  }
  AddCounters(
      "tarn_redis_breaker_opened_total", "How often the node's circuit breaker opened.", nodes,
      [](const RedisNodeReport& node) { return node.stats.breaker_opened; }, families);
}

// --- commands ---

void AddErrors(const Nodes& nodes, Families* families) {
  MetricFamily& family = families->Add(
      "tarn_redis_errors_total",
      "Commands to the node that were not answered as they should be, by kind: Redis' own error "
      "codes, connection_lost (after it was sent), no_connection, too_many_requests_wait.",
      MetricType::Counter);
  for (const RedisNodeReport& node : nodes) {
    for (size_t event = 0; event < storage::redis::kEvents; ++event) {
      const uint64_t count = node.stats.pool.traffic.errors[event];
      if (count == 0) continue;
      Families::AddCounter(
          family, AsDouble(count),
          {{"node", node.stats.address}, {"kind", KindName(static_cast<Event>(event))}});
    }
  }
}

void AddLatencies(const Nodes& nodes, Families* families) {
  MetricFamily& family = families->Add(
      "tarn_redis_command_duration_seconds",
      "Time from sending a command to its answer, of one command in 16.", MetricType::Histogram);
  for (const RedisNodeReport& node : nodes) {
    const TrafficTotals& traffic = node.stats.pool.traffic;
    ClientMetric metric;
    metric.label = Of(node);
    uint64_t count = 0;
    for (size_t bucket = 0; bucket < storage::redis::kLatencyBuckets; ++bucket) {
      count += traffic.latency[bucket];
      const bool last = bucket == storage::redis::kLatencyBoundsNs.size();
      const double bound =
          last ? std::numeric_limits<double>::infinity()
               : static_cast<double>(storage::redis::kLatencyBoundsNs[bucket]) / 1e9;
      metric.histogram.bucket.push_back({count, bound});
    }
    metric.histogram.sample_count = count;
    metric.histogram.sample_sum = AsDouble(traffic.latency_sum_ns) / 1e9;
    family.metric.push_back(std::move(metric));
  }
}

void AddCommands(const Nodes& nodes, Families* families) {
  AddCounters(
      "tarn_redis_commands_total",
      "Commands sent to the node, those of log-ins and of checks included.", nodes,
      [](const RedisNodeReport& node) { return node.stats.pool.traffic.commands; }, families);
  AddErrors(nodes, families);
  AddGauges(
      "tarn_redis_commands_in_flight", "Commands to the node without an answer.", nodes,
      [](const RedisNodeReport& node) { return node.stats.pool.pending; }, families);
  AddLatencies(nodes, families);
  AddCounters(
      "tarn_redis_sent_bytes_total", "Bytes sent to the node.", nodes,
      [](const RedisNodeReport& node) { return node.stats.pool.traffic.sent_bytes; }, families);
  AddCounters(
      "tarn_redis_received_bytes_total", "Bytes received from the node.", nodes,
      [](const RedisNodeReport& node) { return node.stats.pool.traffic.received_bytes; }, families);
}

// --- what the servers say of themselves ---

void AddFacts(const Nodes& nodes, Families* families) {
  MetricFamily used{
      "tarn_redis_memory_bytes", "Memory that the node says it uses.", MetricType::Gauge, {}};
  MetricFamily limit{
      "tarn_redis_memory_limit_bytes", "Its maxmemory; 0: none.", MetricType::Gauge, {}};
  MetricFamily replicas{"tarn_redis_replicas",
                        "Replicas of the node that it says are online.",
                        MetricType::Gauge,
                        {}};
  for (const RedisNodeReport& node : nodes) {
    if (!node.facts) continue;
    const auto online = std::count_if(node.facts->replicas.begin(), node.facts->replicas.end(),
                                      [](const auto& replica) { return replica.online; });
    Families::AddGauge(used, AsDouble(node.facts->memory_bytes), Of(node));
    Families::AddGauge(limit, AsDouble(node.facts->max_memory_bytes), Of(node));
    Families::AddGauge(replicas, static_cast<double>(online), Of(node));
  }
  families->Add(std::move(used));
  families->Add(std::move(limit));
  families->Add(std::move(replicas));
}

void AddReplication(const RedisReport& report, const Nodes& nodes, Families* families) {
  families->Gauge("tarn_redis_wait_replicas",
                  "How many replicas a write waits for (wait_replicas of the URL).",
                  report.wait_replicas);
  MetricFamily& acknowledged =
      families->Add("tarn_redis_replicas_acknowledged",
                    "How many replicas had the writes before the last WAIT; only where writes wait "
                    "for replicas.",
                    MetricType::Gauge);
  for (const RedisNodeReport& node : nodes) {
    const int64_t replicas = node.stats.pool.traffic.acknowledged_replicas;
    if (replicas >= 0) Families::AddGauge(acknowledged, static_cast<double>(replicas), Of(node));
  }
  AddCounters(
      "tarn_redis_short_waits_total",
      "WAITs by which too few replicas had the writes before them: these were answered with "
      "NOT_REPLICATED.",
      nodes, [](const RedisNodeReport& node) { return node.stats.pool.traffic.short_waits; },
      families);
}

// --- the store as a whole ---

void AddOwnership(const RedisReport& report, Families* families) {
  families->Gauge("tarn_redis_info", "Always 1: how the servers are arranged is in the label.", 1,
                  {{"topology", ToString(Name(report.topology))}});
  MetricFamily& family = families->Add(
      "tarn_redis_ownership",
      "1 for what this daemon is to the store: connecting (Redis was not reached yet), standby "
      "(another one owns it), owner, deposed (another one took it), store_lost (Redis came back "
      "without it).",
      MetricType::Gauge);
  for (const RedisOwnership ownership : kOwnerships) {
    Families::AddGauge(family, report.ownership == ownership ? 1 : 0,
                       {{"state", ToString(Name(ownership))}});
  }
}

void AddRouting(const RedisReport& report, Families* families) {
  const storage::redis::RoutingStats& routing = report.routing;
  MetricFamily& redirects = families->Add(
      "tarn_redis_redirects_total",
      "Commands that a node of a cluster sent elsewhere, by kind: moved, ask, tryagain.",
      MetricType::Counter);
  for (const auto& [kind, count] :
       {std::pair("moved", routing.moved), std::pair("ask", routing.asked),
        std::pair("tryagain", routing.tried_again)}) {
    Families::AddCounter(redirects, AsDouble(count), {{"kind", kind}});
  }
  families->Counter("tarn_redis_redirects_given_up_total", "Redirected commands that led nowhere.",
                    AsDouble(routing.given_up));
  families->Counter("tarn_redis_topology_questions_total",
                    "Rounds of asking Sentinels, or nodes, who serves which slots.",
                    AsDouble(routing.questions));
  families->Counter("tarn_redis_topology_unanswered_total", "Those of them in which nobody knew.",
                    AsDouble(routing.unanswered));
  families->Counter("tarn_redis_failovers_total", "Primaries that were replaced by others.",
                    AsDouble(routing.switches));
  families->Counter("tarn_redis_node_changes_total",
                    "Primaries that were replaced or started anew.", AsDouble(report.node_changes));
  families->Gauge("tarn_redis_sentinels", "Sentinels that would tell of a failover now.",
                  routing.sentinels);
}

void AddWrites(const RedisReport& report, Families* families) {
  families->Counter("tarn_redis_retries_total", "Commands that were sent again.",
                    AsDouble(report.retries));
  families->Counter("tarn_redis_writes_lost_total", "Writes whose answer was lost.",
                    AsDouble(report.lost));
  families->Counter("tarn_redis_writes_settled_total",
                    "Writes whose answer was lost and whose fate was found out.",
                    AsDouble(report.settled));
  families->Counter("tarn_redis_writes_unknown_total",
                    "Writes whose caller was told that nobody knows what became of them.",
                    AsDouble(report.unknown));
  families->Counter("tarn_redis_healed_entries_total",
                    "Entries that were put back into the index, or taken out of it, because the "
                    "two disagreed.",
                    AsDouble(report.healed));
  MetricFamily& ended = families->Add(
      "tarn_redis_snapshots_ended_total",
      "Snapshots that were ended before their time, by reason: made_room (a limit), too_old, "
      "node_changed, answer_lost, untold, closing.",
      MetricType::Counter);
  for (size_t end = 0; end < storage::redis::kSnapshotEnds; ++end) {
    Families::AddCounter(ended, AsDouble(report.snapshots_ended[end]),
                         {{"reason", ToString(SnapshotEndName(static_cast<SnapshotEnd>(end)))}});
  }
}

Nodes Shown(Nodes nodes) {
  std::sort(nodes.begin(), nodes.end(), [](const auto& left, const auto& right) {
    return left.stats.address < right.stats.address;
  });
  if (nodes.size() > kMaxRedisNodeLabels) nodes.resize(kMaxRedisNodeLabels);
  return nodes;
}

}  // namespace

void AddRedis(const RedisReport& report, Families* families) {
  const Nodes nodes = Shown(report.nodes);
  AddOwnership(report, families);
  families->Gauge("tarn_redis_nodes", "Primaries that are known.", AsDouble(report.nodes.size()));
  AddConnections(nodes, families);
  AddBreakers(nodes, families);
  AddCommands(nodes, families);
  AddGauges(
      "tarn_redis_partitions", "Of the 256 partitions of the store, those that the node serves.",
      nodes, [](const RedisNodeReport& node) { return node.stats.partitions; }, families);
  AddFacts(nodes, families);
  AddReplication(report, nodes, families);
  AddRouting(report, families);
  AddWrites(report, families);
}

}  // namespace tarn::server
