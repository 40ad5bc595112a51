#include "client/src/convert_admin.h"

#include <optional>
#include <utility>

#include "client/src/convert_redis.h"
#include "client/src/convert_time.h"

namespace tarn::internal {
namespace {

v1::Placement ToProto(Placement placement) {
  return placement == Placement::kTogether ? v1::PLACEMENT_TOGETHER : v1::PLACEMENT_SPREAD;
}

ServerState FromProto(v1::ServerState state) {
  switch (state) {
    case v1::SERVER_STATE_STARTING:
      return ServerState::kStarting;
    case v1::SERVER_STATE_STANDBY:
      return ServerState::kStandby;
    case v1::SERVER_STATE_SERVING:
      return ServerState::kServing;
    case v1::SERVER_STATE_DRAINING:
      return ServerState::kDraining;
    default:
      return ServerState::kUnknown;
  }
}

Durability FromProto(v1::Durability durability) {
  switch (durability) {
    case v1::DURABILITY_MEMORY:
      return Durability::kMemory;
    case v1::DURABILITY_OS:
      return Durability::kOs;
    case v1::DURABILITY_DISK:
      return Durability::kDisk;
    case v1::DURABILITY_EXTERNAL:
      return Durability::kExternal;
    default:
      return Durability::kUnknown;
  }
}

std::optional<OperationKind> FromProto(v1::OperationKind kind) {
  switch (kind) {
    case v1::OPERATION_KIND_GET:
      return OperationKind::kGet;
    case v1::OPERATION_KIND_PUT:
      return OperationKind::kPut;
    case v1::OPERATION_KIND_DELETE:
      return OperationKind::kDelete;
    case v1::OPERATION_KIND_TAKE:
      return OperationKind::kTake;
    case v1::OPERATION_KIND_INCREMENT:
      return OperationKind::kIncrement;
    case v1::OPERATION_KIND_APPEND:
      return OperationKind::kAppend;
    case v1::OPERATION_KIND_TOUCH:
      return OperationKind::kTouch;
    default:
      return std::nullopt;
  }
}

Limits FromProto(const v1::Limits& limits) {
  return {.max_key_bytes = limits.max_key_bytes(),
          .max_value_bytes = limits.max_value_bytes(),
          .max_batch_operations = limits.max_batch_operations(),
          .max_request_bytes = limits.max_request_bytes(),
          .max_response_bytes = limits.max_response_bytes(),
          .scan_chunk_bytes = limits.scan_chunk_bytes(),
          .snapshot_lifetime = ToMilliseconds(limits.snapshot_lifetime()),
          .max_snapshots = limits.max_snapshots(),
          .max_pipeline_batches = limits.max_pipeline_batches(),
          .max_pipeline_bytes = limits.max_pipeline_bytes(),
          .max_namespaces = limits.max_namespaces(),
          .max_page_size = limits.max_page_size(),
          .max_ttl = ToMilliseconds(limits.max_ttl())};
}

Capabilities FromProto(const v1::Capabilities& capabilities) {
  return {.atomic_batches = capabilities.atomic_batches(),
          .snapshots = capabilities.snapshots(),
          .durability = FromProto(capabilities.durability()),
          .durability_description = capabilities.durability_description()};
}

void SetDefaultTtl(std::chrono::milliseconds ttl, v1::Namespace* out) {
  out->mutable_default_ttl()->set_milliseconds(ttl.count());
}

}  // namespace

v1::CreateNamespaceRequest ToRequest(const CreateNamespaceParams& params) {
  v1::CreateNamespaceRequest request;
  v1::Namespace& out = *request.mutable_namespace_();
  out.set_name(params.name);
  if (params.settings.default_ttl.has_value()) SetDefaultTtl(*params.settings.default_ttl, &out);
  out.set_quota_bytes(params.settings.quota_bytes);
  out.set_quota_entries(params.settings.quota_entries);
  out.set_placement(ToProto(params.settings.placement));
  return request;
}

v1::UpdateNamespaceRequest ToRequest(const UpdateNamespaceParams& params) {
  v1::UpdateNamespaceRequest request;
  request.set_expected_revision(params.expected_revision);
  v1::Namespace& out = *request.mutable_namespace_();
  out.set_name(params.name);
  if (const auto& ttl = params.change.default_ttl) {
    request.mutable_update_mask()->add_paths("default_ttl");
    // Named in the mask and unset: cleared.
    if (ttl->kind() == Ttl::Kind::kDuration) SetDefaultTtl(ttl->span(), &out);
  }
  if (const auto& bytes = params.change.quota_bytes) {
    request.mutable_update_mask()->add_paths("quota_bytes");
    out.set_quota_bytes(*bytes);
  }
  if (const auto& entries = params.change.quota_entries) {
    request.mutable_update_mask()->add_paths("quota_entries");
    out.set_quota_entries(*entries);
  }
  return request;
}

v1::DeleteNamespaceRequest ToRequest(const DeleteNamespaceParams& params) {
  v1::DeleteNamespaceRequest request;
  request.set_name(params.name);
  request.set_force(params.with_entries == WithEntries::kDelete);
  request.set_expected_revision(params.expected_revision);
  return request;
}

NamespaceInfo FromProto(const v1::Namespace& proto) {
  NamespaceInfo info;
  info.name = proto.name();
  if (proto.default_ttl().milliseconds() > 0) {
    info.settings.default_ttl = std::chrono::milliseconds(proto.default_ttl().milliseconds());
  }
  info.settings.quota_bytes = proto.quota_bytes();
  info.settings.quota_entries = proto.quota_entries();
  info.settings.placement =
      proto.placement() == v1::PLACEMENT_TOGETHER ? Placement::kTogether : Placement::kSpread;
  info.entry_count = proto.entry_count();
  info.size_bytes = proto.size_bytes();
  info.create_time = ToTimestamp(proto.create_time());
  info.revision = proto.revision();
  return info;
}

ServerInfo FromProto(const v1::GetServerInfoResponse& proto) {
  std::optional<RedisInfo> redis;
  if (proto.has_redis()) redis = FromProto(proto.redis());
  return {.version = proto.version(),
          .commit = proto.commit(),
          .store_id = proto.store_id(),
          .engine = proto.engine(),
          .incarnation = proto.incarnation(),
          .revision = proto.revision(),
          .state = FromProto(proto.state()),
          .start_time = ToTimestamp(proto.start_time()),
          .limits = FromProto(proto.limits()),
          .capabilities = FromProto(proto.capabilities()),
          .redis = std::move(redis)};
}

Stats FromProto(const v1::GetStatsResponse& proto) {
  Stats stats;
  stats.entry_count = proto.entry_count();
  stats.size_bytes = proto.size_bytes();
  for (const auto& ns : proto.namespaces()) {
    stats.namespaces.push_back({ns.name(), ns.entry_count(), ns.size_bytes()});
  }
  stats.namespace_count = proto.namespace_count();
  for (const auto& operation : proto.operations()) {
    const auto kind = FromProto(operation.kind());
    if (!kind.has_value()) continue;  // Of a newer server.
    stats.operations.push_back({*kind, operation.success_count(), operation.failure_count()});
  }
  stats.snapshot_count = proto.snapshot_count();
  if (proto.has_oldest_snapshot_age()) {
    stats.oldest_snapshot_age = ToMilliseconds(proto.oldest_snapshot_age());
  }
  stats.swept_count = proto.swept_count();
  stats.memory_used_bytes = proto.memory_used_bytes();
  stats.memory_limit_bytes = proto.memory_limit_bytes();
  stats.disk_used_bytes = proto.disk_used_bytes();
  stats.disk_free_bytes = proto.disk_free_bytes();
  stats.connection_count = proto.connection_count();
  stats.pipeline_count = proto.pipeline_count();
  return stats;
}

}  // namespace tarn::internal
