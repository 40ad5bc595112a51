#include "server/rpc/admin_messages.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace tarn::server {
namespace {

std::string ToString(absl::string_view text) { return std::string(text.data(), text.size()); }

template <typename Timestamp>
void SetMs(int64_t milliseconds, Timestamp* message) {
  message->set_seconds(milliseconds / 1000);
  message->set_nanos(static_cast<int32_t>(milliseconds % 1000 * 1'000'000));
}

tarn::v1::ServerState StateOf(const Gate& gate) {
  if (!gate.standing_by_for().empty()) return tarn::v1::SERVER_STATE_STANDBY;
  switch (gate.state()) {
    case State::kStarting:
    case State::kRestoring:
      return tarn::v1::SERVER_STATE_STARTING;
    case State::kServing:
      return tarn::v1::SERVER_STATE_SERVING;
    case State::kDraining:
      return tarn::v1::SERVER_STATE_DRAINING;
  }
  return tarn::v1::SERVER_STATE_UNSPECIFIED;
}

void FillLimits(const ServerFacts& facts, tarn::v1::Limits& message) {
  const storage::Limits& limits = facts.limits;
  message.set_max_key_bytes(limits.max_key_bytes);
  message.set_max_value_bytes(limits.max_value_bytes);
  message.set_max_batch_operations(limits.max_batch_operations);
  message.set_max_request_bytes(limits.max_request_bytes);
  message.set_max_response_bytes(limits.max_response_bytes);
  message.set_max_namespaces(limits.max_namespaces);
  message.set_max_lock_name_bytes(limits.max_lock_name_bytes);
  message.set_max_lock_ttl_ms(limits.max_lock_ttl_ms);
  message.set_max_locks(limits.max_locks);
  message.set_max_lock_waiters(limits.max_lock_waiters);
  message.set_max_lock_queue(limits.max_lock_queue);
  message.set_max_groups(limits.max_groups);
  SetMs(limits.max_ttl_ms, message.mutable_max_ttl());
  const ServerLimits& server = facts.server_limits;
  message.set_scan_chunk_bytes(server.scan_chunk_bytes);
  SetMs(server.snapshot_lifetime_ms, message.mutable_snapshot_lifetime());
  message.set_max_snapshots(server.max_snapshots);
  message.set_max_pipeline_batches(server.max_pipeline_batches);
  message.set_max_pipeline_bytes(server.max_pipeline_bytes);
  message.set_max_page_size(server.max_page_size);
}

tarn::v1::OperationKind ToWireKind(storage::OperationKind kind) {
  switch (kind) {
    case storage::OperationKind::kGet:
      return tarn::v1::OPERATION_KIND_GET;
    case storage::OperationKind::kPut:
      return tarn::v1::OPERATION_KIND_PUT;
    case storage::OperationKind::kDelete:
      return tarn::v1::OPERATION_KIND_DELETE;
    case storage::OperationKind::kTake:
      return tarn::v1::OPERATION_KIND_TAKE;
    case storage::OperationKind::kAdd:
      return tarn::v1::OPERATION_KIND_INCREMENT;
    case storage::OperationKind::kAppend:
      return tarn::v1::OPERATION_KIND_APPEND;
    case storage::OperationKind::kTouch:
      return tarn::v1::OPERATION_KIND_TOUCH;
  }
  return tarn::v1::OPERATION_KIND_UNSPECIFIED;
}

void FillOperations(const Counters& counters, tarn::v1::GetStatsResponse& response) {
  const CounterTotals totals = counters.Read();
  for (size_t kind = 0; kind < kOperationKinds; ++kind) {
    const auto& outcomes = totals.operations[kind];
    const auto count = [&outcomes](OperationOutcome outcome) {
      return outcomes[static_cast<size_t>(outcome)];
    };
    auto* stats = response.add_operations();
    stats->set_kind(ToWireKind(static_cast<storage::OperationKind>(kind)));
    stats->set_success_count(count(OperationOutcome::kHit) + count(OperationOutcome::kMiss));
    stats->set_failure_count(count(OperationOutcome::kPrecondition) +
                             count(OperationOutcome::kFailed));
  }
}

uint64_t Size(int64_t count) { return count > 0 ? static_cast<uint64_t>(count) : 0; }

void FillNamespaces(std::vector<storage::NamespaceInfo> namespaces, size_t max,
                    tarn::v1::GetStatsResponse& response) {
  storage::Usage total;
  for (const storage::NamespaceInfo& info : namespaces) total += info.usage;
  response.set_entry_count(Size(total.entries));
  response.set_size_bytes(Size(total.bytes));
  response.set_namespace_count(namespaces.size());
  std::stable_sort(namespaces.begin(), namespaces.end(), [](const auto& left, const auto& right) {
    return left.usage.bytes > right.usage.bytes;
  });
  for (size_t i = 0; i < std::min(max, namespaces.size()); ++i) {
    auto* stats = response.add_namespaces();
    stats->set_name(namespaces[i].name);
    stats->set_entry_count(Size(namespaces[i].usage.entries));
    stats->set_size_bytes(Size(namespaces[i].usage.bytes));
  }
}

}  // namespace

void FillInfo(const ServerFacts& facts, const Gate& gate,
              tarn::v1::GetServerInfoResponse& response) {
  response.set_version(facts.version);
  response.set_commit(facts.commit);
  response.set_engine(facts.engine);
  response.set_state(StateOf(gate));
  SetMs(facts.start_time_ms, response.mutable_start_time());
  FillLimits(facts, *response.mutable_limits());
  auto& capabilities = *response.mutable_capabilities();
  capabilities.set_atomic_batches(true);
  capabilities.set_snapshots(true);
  capabilities.set_durability(facts.durability);
  storage::Store* store = gate.opened();
  if (store == nullptr) return;
  capabilities.set_durability_description(ToString(store->engine().durability()));
  const storage::StoreStats stats = store->Stats();
  response.set_store_id(stats.store_id);
  response.set_incarnation(stats.incarnation);
  response.set_revision(stats.engine.revision);
}

void FillStats(storage::Store& store, const Counters& counters, size_t max_namespaces,
               tarn::v1::GetStatsResponse& response) {
  FillNamespaces(store.ListNamespaces("", std::numeric_limits<size_t>::max()), max_namespaces,
                 response);
  FillOperations(counters, response);
  const storage::StoreStats stats = store.Stats();
  response.set_snapshot_count(stats.engine.snapshots);
  if (stats.open_scans > 0) {
    SetMs(absl::ToInt64Milliseconds(stats.oldest_scan_age), response.mutable_oldest_snapshot_age());
  }
  response.set_swept_count(stats.swept_entries);
  response.set_memory_used_bytes(stats.engine.memory_bytes);
  response.set_memory_limit_bytes(stats.engine.memory_limit_bytes);
  response.set_disk_used_bytes(stats.engine.disk_bytes);
  response.set_disk_free_bytes(stats.engine.disk_free_bytes);
  response.set_pipeline_count(static_cast<uint64_t>(std::max<int64_t>(counters.pipelines(), 0)));
}

}  // namespace tarn::server
