#include "client/cli/redis_fields.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/text.h"

namespace tarn::cli {
namespace {

const char* NameOf(RedisTopology topology) {
  switch (topology) {
    case RedisTopology::kStandalone:
      return "standalone";
    case RedisTopology::kSentinel:
      return "sentinel";
    case RedisTopology::kCluster:
      return "cluster";
    case RedisTopology::kUnknown:
      break;
  }
  return "unknown";
}

const char* NameOf(RedisOwnership ownership) {
  switch (ownership) {
    case RedisOwnership::kConnecting:
      return "connecting";
    case RedisOwnership::kStandby:
      return "standby";
    case RedisOwnership::kOwner:
      return "owner";
    case RedisOwnership::kDeposed:
      return "deposed";
    case RedisOwnership::kStoreLost:
      return "store_lost";
    case RedisOwnership::kUnknown:
      break;
  }
  return "unknown";
}

const char* NameOf(RedisRole role) {
  switch (role) {
    case RedisRole::kPrimary:
      return "primary";
    case RedisRole::kReplica:
      return "replica";
    case RedisRole::kUnknown:
      break;
  }
  return "unknown";
}

const char* NameOf(RedisBreaker breaker) {
  switch (breaker) {
    case RedisBreaker::kClosed:
      return "closed";
    case RedisBreaker::kHalfOpen:
      return "half_open";
    case RedisBreaker::kOpen:
      return "open";
    case RedisBreaker::kUnknown:
      break;
  }
  return "unknown";
}

const char* NameOf(RedisPersistence persistence) {
  switch (persistence) {
    case RedisPersistence::kNoLog:
      return "no_log";
    case RedisPersistence::kLog:
      return "log";
    case RedisPersistence::kSyncNever:
      return "sync_never";
    case RedisPersistence::kSyncEverySecond:
      return "sync_every_second";
    case RedisPersistence::kSyncAlways:
      return "sync_always";
    case RedisPersistence::kUnknown:
      break;
  }
  return "unknown";
}

// What is true of a write when it is acknowledged, by the primary that promises least.
const char* MeaningOf(RedisPersistence persistence) {
  switch (persistence) {
    case RedisPersistence::kNoLog:
      return "Redis has it in memory (its append-only file is off): a crash of Redis loses what "
             "came after its last RDB snapshot";
    case RedisPersistence::kLog:
      return "Redis has logged it; how its log is synced is unknown, since this user may not run "
             "CONFIG GET";
    case RedisPersistence::kSyncNever:
      return "Redis has logged it and syncs when the system likes (appendfsync no): a crash of the "
             "machine loses the last half minute";
    case RedisPersistence::kSyncEverySecond:
      return "Redis has logged it and syncs each second (appendfsync everysec): a crash of the "
             "machine loses the last second or two";
    case RedisPersistence::kSyncAlways:
      return "Redis has logged and synced it (appendfsync always)";
    case RedisPersistence::kUnknown:
      break;
  }
  return "what Redis does with it is unknown";
}

// The weaker a promise, the smaller.
int Strength(RedisPersistence persistence) {
  switch (persistence) {
    case RedisPersistence::kUnknown:
      return 0;
    case RedisPersistence::kNoLog:
      return 1;
    case RedisPersistence::kLog:
      return 2;
    case RedisPersistence::kSyncNever:
      return 3;
    case RedisPersistence::kSyncEverySecond:
      return 4;
    case RedisPersistence::kSyncAlways:
      return 5;
  }
  return 0;
}

std::string MeaningOfWrite(const RedisInfo& redis) {
  RedisPersistence weakest = RedisPersistence::kSyncAlways;
  bool any = false;
  for (const RedisNode& node : redis.nodes) {
    if (node.role != RedisRole::kPrimary) continue;
    any = true;
    if (Strength(node.persistence) < Strength(weakest)) weakest = node.persistence;
  }
  const std::string replicas =
      redis.wait_replicas == 0
          ? "replicas are not waited for, so a failover may lose it"
          : absl::StrCat(redis.wait_replicas,
                         redis.wait_replicas == 1 ? " replica has it" : " replicas have it");
  return absl::StrCat(MeaningOf(any ? weakest : RedisPersistence::kUnknown), "; ", replicas);
}

std::string SlotsOf(const RedisNode& node) {
  return absl::StrJoin(node.slots, ",", [](std::string* out, const RedisSlotRange& range) {
    absl::StrAppend(out, range.first);
    if (range.last != range.first) absl::StrAppend(out, "-", range.last);
  });
}

std::string ShowLatency(const RedisNode& node) {
  if (!node.latency) return "-";
  const double us = static_cast<double>(node.latency->count());
  return us < 1000 ? absl::StrFormat("%.0fus", us) : absl::StrFormat("%.1fms", us / 1000);
}

Field LatencyField(const RedisNode& node) {
  return {"latency_us", ShowLatency(node),
          node.latency ? absl::StrCat(node.latency->count()) : std::string()};
}

// "-" where nothing is known.
Field KnownSize(std::string name, uint64_t bytes) {
  Field field = SizeField(std::move(name), bytes);
  if (bytes == 0) field.plain = "-";
  return field;
}

std::vector<Field> FieldsOf(const RedisNode& node) {
  std::vector<Field> fields = {TextField("address", node.address),
                               TextField("role", NameOf(node.role)),
                               BoolField("reachable", node.reachable)};
  const std::string slots = SlotsOf(node);
  fields.push_back(TextField("slots", slots));
  if (slots.empty()) fields.back().plain = "-";
  const std::vector<Field> of_primary = {
      NumberField("connections", node.connection_count),
      NumberField("idle", node.idle_connection_count),
      NumberField("connecting", node.connecting_count),
      NumberField("pending", node.pending_count),
      LatencyField(node),
      TextField("breaker", NameOf(node.breaker)),
      KnownSize("memory_used_bytes", node.memory_used_bytes),
      KnownSize("memory_limit_bytes", node.memory_limit_bytes),
      TextField("persistence", NameOf(node.persistence)),
      TextField("version", node.version.empty() ? "-" : node.version)};
  for (Field field : of_primary) {
    if (node.role == RedisRole::kReplica) field = {field.name, "-", ""};
    fields.push_back(std::move(field));
  }
  return fields;
}

}  // namespace

void AddRedis(const Context& context, const RedisInfo& redis, std::vector<Field>& fields) {
  std::vector<Field> own = {TextField("topology", NameOf(redis.topology)),
                            TextField("url", redis.url),
                            TextField("ownership", NameOf(redis.ownership)),
                            TextField("acknowledged_write", MeaningOfWrite(redis)),
                            NumberField("wait_replicas", redis.wait_replicas),
                            NumberField("sentinels", redis.sentinel_count)};
  if (context.style == Style::kJson) {
    std::vector<std::string> nodes;
    for (const RedisNode& node : redis.nodes) nodes.push_back(ToJson(FieldsOf(node)));
    own.push_back({"nodes", "", absl::StrCat("[", absl::StrJoin(nodes, ","), "]")});
    fields.push_back({"redis", "", ToJson(own)});
    return;
  }
  for (Field& field : own) {
    field.name = "redis_" + field.name;
    fields.push_back(std::move(field));
  }
}

void PrintRedisNodes(const Context& context, const RedisInfo& redis) {
  if (context.style == Style::kJson || redis.nodes.empty()) return;
  context.env.out << "\n";
  constexpr size_t kAll = 64;  // A simple line has every field.
  RecordWriter writer(context, kAll);
  for (const RedisNode& node : redis.nodes) writer.Write(FieldsOf(node));
  writer.Finish();
}

}  // namespace tarn::cli
