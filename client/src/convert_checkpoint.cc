#include "client/src/convert_checkpoint.h"

#include <utility>

#include "client/src/convert_time.h"

namespace tarn::internal {
namespace {

CheckpointHealth FromProto(v1::CheckpointHealth health) {
  switch (health) {
    case v1::CHECKPOINT_HEALTH_INTACT:
      return CheckpointHealth::kIntact;
    case v1::CHECKPOINT_HEALTH_DAMAGED:
      return CheckpointHealth::kDamaged;
    case v1::CHECKPOINT_HEALTH_OTHER_STORE:
      return CheckpointHealth::kOtherStore;
    case v1::CHECKPOINT_HEALTH_NEWER_FORMAT:
      return CheckpointHealth::kNewerFormat;
    case v1::CHECKPOINT_HEALTH_UNREADABLE:
      return CheckpointHealth::kUnreadable;
    default:
      return CheckpointHealth::kUnknown;
  }
}

RetentionFate FromProto(v1::RetentionFate fate) {
  switch (fate) {
    case v1::RETENTION_FATE_KEEP:
      return RetentionFate::kKeep;
    case v1::RETENTION_FATE_DELETE:
      return RetentionFate::kDelete;
    default:
      return RetentionFate::kUnknown;
  }
}

CheckpointChangeKind FromProto(v1::CheckpointChangeKind kind) {
  switch (kind) {
    case v1::CHECKPOINT_CHANGE_KIND_ADDED:
      return CheckpointChangeKind::kAdded;
    case v1::CHECKPOINT_CHANGE_KIND_REMOVED:
      return CheckpointChangeKind::kRemoved;
    case v1::CHECKPOINT_CHANGE_KIND_CHANGED:
      return CheckpointChangeKind::kChanged;
    default:
      return CheckpointChangeKind::kUnknown;
  }
}

void Fill(const RestoreRange& range, v1::RestoreRange* out) {
  out->set_namespace_(range.ns);
  if (range.keys.is_all()) return;
  v1::KeyRange& keys = *out->mutable_range();
  keys.set_prefix(range.keys.prefix);
  keys.set_start(range.keys.start);
  keys.set_end(range.keys.end);
}

}  // namespace

v1::CreateCheckpointRequest ToRequest(const CreateCheckpointParams& params) {
  v1::CreateCheckpointRequest request;
  request.set_force(params.when_unchanged == WhenUnchanged::kCreateAnother);
  request.set_pin_reason(params.pin_reason);
  return request;
}

v1::RestoreCheckpointRequest ToRequest(const RestoreCheckpointParams& params) {
  v1::RestoreCheckpointRequest request;
  request.set_id(params.id);
  request.set_validate_only(params.mode == RestoreMode::kValidateOnly);
  request.set_skip_safety_checkpoint(params.safety == SafetyCheckpoint::kSkip);
  if (params.range.has_value()) Fill(*params.range, request.mutable_range());
  return request;
}

v1::GetCheckpointEntryRequest ToRequest(const GetCheckpointEntryParams& params) {
  v1::GetCheckpointEntryRequest request;
  request.set_id(params.id);
  request.set_namespace_(params.ns);
  request.set_key(params.key);
  return request;
}

v1::DiffCheckpointsRequest ToRequest(const DiffCheckpointsParams& params) {
  v1::DiffCheckpointsRequest request;
  request.set_from_id(params.from_id);
  request.set_to_id(params.to_id);
  request.set_namespace_(params.ns);
  request.set_counts_only(params.content == DiffContent::kCountsOnly);
  return request;
}

v1::ImportOptions ToOptions(const ImportCheckpointParams& params) {
  v1::ImportOptions options;
  options.set_allow_other_store(params.from == ImportFrom::kAnyStore);
  return options;
}

Checkpoint FromProto(const v1::Checkpoint& proto) {
  Checkpoint result{.id = proto.id(),
                    .store_id = proto.store_id(),
                    .incarnation = proto.incarnation(),
                    .sequence = proto.sequence(),
                    .revision = proto.revision(),
                    .create_time = ToTimestamp(proto.create_time()),
                    .as_of_time = ToTimestamp(proto.as_of_time()),
                    .engine = proto.engine(),
                    .entry_count = proto.entry_count(),
                    .size_bytes = proto.size_bytes(),
                    .file_bytes = proto.file_bytes(),
                    .codec = proto.codec(),
                    .root = proto.root(),
                    .content_digest = proto.content_digest(),
                    .health = FromProto(proto.health()),
                    .problem = proto.problem(),
                    .pin_reason = proto.pin_reason(),
                    .pin_time = {},
                    .fate = FromProto(proto.fate()),
                    .why_kept = proto.why_kept()};
  if (proto.has_pin_time()) result.pin_time = ToTimestamp(proto.pin_time());
  return result;
}

CheckpointList FromProto(const v1::ListCheckpointsResponse& proto) {
  CheckpointList list;
  for (const v1::Checkpoint& one : proto.checkpoints()) list.checkpoints.push_back(FromProto(one));
  list.quarantined_ids.assign(proto.quarantined_ids().begin(), proto.quarantined_ids().end());
  return list;
}

CheckpointEntryResult FromProto(v1::GetCheckpointEntryResponse proto) {
  CheckpointEntryResult result;
  result.checkpoint_id = proto.checkpoint_id();
  if (!proto.has_entry()) return result;
  v1::Entry& entry = *proto.mutable_entry();
  result.found = true;
  result.value = std::move(*entry.mutable_value());
  result.revision = entry.revision();
  if (entry.expire_time_ms() != 0) {
    result.expire_time = Timestamp(std::chrono::milliseconds(entry.expire_time_ms()));
  }
  return result;
}

CheckpointDiffChunk FromProto(v1::DiffCheckpointsResponse proto) {
  CheckpointDiffChunk chunk;
  for (v1::CheckpointChange& change : *proto.mutable_changes()) {
    chunk.changes.push_back({FromProto(change.kind()), std::move(*change.mutable_namespace_()),
                             std::move(*change.mutable_key())});
  }
  if (proto.has_totals()) {
    const v1::CheckpointDiffTotals& totals = proto.totals();
    chunk.totals = {totals.added_count(), totals.removed_count(), totals.changed_count(),
                    totals.same_count()};
  }
  return chunk;
}

CheckpointFileChunk FromProto(v1::ExportCheckpointResponse proto) {
  CheckpointFileChunk chunk;
  if (proto.has_checkpoint()) chunk.checkpoint = FromProto(proto.checkpoint());
  chunk.data = std::move(*proto.mutable_data());
  return chunk;
}

}  // namespace tarn::internal
