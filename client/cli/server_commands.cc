#include "client/cli/server_commands.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "client/cli/redis_fields.h"
#include "client/cli/report.h"
#include "client/cli/text.h"

namespace tarn::cli {
namespace {

const char* NameOf(ServerState state) {
  switch (state) {
    case ServerState::kStarting:
      return "starting";
    case ServerState::kStandby:
      return "standby";
    case ServerState::kServing:
      return "serving";
    case ServerState::kDraining:
      return "draining";
    case ServerState::kUnknown:
      break;
  }
  return "unknown";
}

const char* NameOf(Durability durability) {
  switch (durability) {
    case Durability::kMemory:
      return "memory";
    case Durability::kOs:
      return "os";
    case Durability::kDisk:
      return "disk";
    case Durability::kExternal:
      return "external";
    case Durability::kUnknown:
      break;
  }
  return "unknown";
}

const char* NameOf(OperationKind kind) {
  constexpr const char* kNames[] = {"get", "put", "delete", "take", "increment", "append", "touch"};
  return kNames[static_cast<size_t>(kind)];
}

Field SpanField(std::string name, std::chrono::milliseconds span) {
  return TextField(std::move(name), FormatDuration(span));
}

void AddLimits(const Limits& limits, std::vector<Field>& fields) {
  fields.push_back(SizeField("max_key_bytes", limits.max_key_bytes));
  fields.push_back(SizeField("max_value_bytes", limits.max_value_bytes));
  fields.push_back(NumberField("max_batch_operations", limits.max_batch_operations));
  fields.push_back(SizeField("max_request_bytes", limits.max_request_bytes));
  fields.push_back(SizeField("max_response_bytes", limits.max_response_bytes));
  fields.push_back(SizeField("scan_chunk_bytes", limits.scan_chunk_bytes));
  fields.push_back(SpanField("snapshot_lifetime", limits.snapshot_lifetime));
  fields.push_back(NumberField("max_snapshots", limits.max_snapshots));
  fields.push_back(NumberField("max_pipeline_batches", limits.max_pipeline_batches));
  fields.push_back(SizeField("max_pipeline_bytes", limits.max_pipeline_bytes));
  fields.push_back(NumberField("max_namespaces", limits.max_namespaces));
  fields.push_back(NumberField("max_page_size", limits.max_page_size));
  fields.push_back(SpanField("max_ttl", limits.max_ttl));
}

ExitCode RunInfo(Context& context) {
  const auto admin = context.ConnectAdmin();
  if (!admin.ok()) return Report(context, "server info", admin.status(), Effect::kReads);
  const auto info = admin->GetServerInfo();
  if (!info.ok()) return Report(context, "server info", info.status(), Effect::kReads);
  std::vector<Field> fields = {
      TextField("version", info->version),
      TextField("commit", info->commit),
      TextField("state", NameOf(info->state)),
      TextField("engine", info->engine),
      TextField("durability", NameOf(info->capabilities.durability)),
      TextField("durability_description", info->capabilities.durability_description),
      TextField("store_id", info->store_id),
      NumberField("incarnation", info->incarnation),
      RevisionField(info->revision),
      TextField("start_time", FormatTime(info->start_time)),
      BoolField("atomic_batches", info->capabilities.atomic_batches),
      BoolField("snapshots", info->capabilities.snapshots)};
  if (info->redis) AddRedis(context, *info->redis, fields);
  AddLimits(info->limits, fields);
  PrintDetails(context, fields);
  if (info->redis) PrintRedisNodes(context, *info->redis);
  return ExitCode::kDone;
}

ExitCode RunStats(Context& context) {
  const auto admin = context.ConnectAdmin();
  if (!admin.ok()) return Report(context, "server stats", admin.status(), Effect::kReads);
  const auto stats = admin->GetStats();
  if (!stats.ok()) return Report(context, "server stats", stats.status(), Effect::kReads);
  std::vector<Field> fields = {NumberField("entry_count", stats->entry_count),
                               SizeField("size_bytes", stats->size_bytes),
                               NumberField("namespace_count", stats->namespace_count)};
  for (const OperationStats& one : stats->operations) {
    fields.push_back(
        NumberField(absl::StrCat(NameOf(one.kind), "_success_count"), one.success_count));
    fields.push_back(
        NumberField(absl::StrCat(NameOf(one.kind), "_failure_count"), one.failure_count));
  }
  fields.push_back(NumberField("swept_count", stats->swept_count));
  fields.push_back(NumberField("snapshot_count", stats->snapshot_count));
  if (stats->oldest_snapshot_age.has_value()) {
    fields.push_back(SpanField("oldest_snapshot_age", *stats->oldest_snapshot_age));
  }
  fields.push_back(SizeField("memory_used_bytes", stats->memory_used_bytes));
  fields.push_back(SizeField("memory_limit_bytes", stats->memory_limit_bytes));
  fields.push_back(SizeField("disk_used_bytes", stats->disk_used_bytes));
  fields.push_back(SizeField("disk_free_bytes", stats->disk_free_bytes));
  fields.push_back(NumberField("connection_count", stats->connection_count));
  fields.push_back(NumberField("pipeline_count", stats->pipeline_count));
  PrintDetails(context, fields);
  return ExitCode::kDone;
}

ExitCode RunHealth(Context& context) {
  const auto admin = context.ConnectAdmin();
  if (!admin.ok()) return Report(context, "server health", admin.status(), Effect::kReads);
  const auto health = admin->CheckHealth();
  if (!health.ok()) return Report(context, "server health", health.status(), Effect::kReads);
  const bool serving = *health == Health::kServing;
  RecordWriter writer(context, 1);
  writer.Write({TextField("health", serving ? "SERVING" : "NOT_SERVING")});
  writer.Finish();
  return serving ? ExitCode::kDone : ExitCode::kUnavailable;
}

}  // namespace

void AddServerCommands(CLI::App& app, Command& chosen) {
  CLI::App* const group = app.add_subcommand("server", "The server itself");
  group->require_subcommand(1);
  const auto add = [&](const char* name, const char* about, ExitCode (*run)(Context&)) {
    group->add_subcommand(name, about)->callback([&chosen, run] { chosen = run; });
  };
  add("info", "Print what it is, what it can do and what it allows", RunInfo);
  add("stats", "Print its figures now", RunStats);
  add("health", "Print SERVING or NOT_SERVING; exit 6 unless it serves", RunHealth);
}

}  // namespace tarn::cli
