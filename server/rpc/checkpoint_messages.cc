#include "server/rpc/checkpoint_messages.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checkpoint/compression.h"
#include "checkpoint/content_digest.h"
#include "google/protobuf/util/time_util.h"
#include "server/rpc/conversion.h"
#include "server/rpc/errors.h"
#include "storage/base/error.h"
#include "storage/base/sha256.h"
#include "storage/base/status.h"
#include "storage/key_range.h"
#include "storage/namespace_record.h"

namespace tarn::server {
namespace {

using base::Reason;
using google::protobuf::util::TimeUtil;

constexpr absl::string_view kLatest = "latest";
constexpr absl::Duration kDefaultInterval = absl::Seconds(1);
constexpr absl::Duration kMinInterval = absl::Milliseconds(100);
constexpr absl::Duration kMaxInterval = absl::Hours(1);  // Nobody can tell the difference.

std::string ToString(absl::string_view text) { return std::string(text.data(), text.size()); }

std::string CodecText(const checkpoint::Compression& compression) {
  const absl::string_view name = checkpoint::CodecName(compression.codec);
  return compression.level == 0 ? ToString(name) : absl::StrCat(name, ":", compression.level);
}

tarn::v1::CheckpointHealth ToWireHealth(checkpoint::Health health) {
  switch (health) {
    case checkpoint::Health::kIntact:
      return tarn::v1::CHECKPOINT_HEALTH_INTACT;
    case checkpoint::Health::kDamaged:
      return tarn::v1::CHECKPOINT_HEALTH_DAMAGED;
    case checkpoint::Health::kOtherStore:
      return tarn::v1::CHECKPOINT_HEALTH_OTHER_STORE;
    case checkpoint::Health::kNewerFormat:
      return tarn::v1::CHECKPOINT_HEALTH_NEWER_FORMAT;
    case checkpoint::Health::kUnreadable:
      return tarn::v1::CHECKPOINT_HEALTH_UNREADABLE;
  }
  return tarn::v1::CHECKPOINT_HEALTH_UNSPECIFIED;
}

tarn::v1::RetentionFate ToWireFate(checkpoint::Fate fate) {
  return fate == checkpoint::Fate::kKeep ? tarn::v1::RETENTION_FATE_KEEP
                                         : tarn::v1::RETENTION_FATE_DELETE;
}

tarn::v1::JobKind ToWireKind(checkpoint::JobKind kind) {
  switch (kind) {
    case checkpoint::JobKind::kCheckpoint:
      return tarn::v1::JOB_KIND_CHECKPOINT;
    case checkpoint::JobKind::kVerify:
      return tarn::v1::JOB_KIND_VERIFY;
    case checkpoint::JobKind::kRestore:
      return tarn::v1::JOB_KIND_RESTORE;
    case checkpoint::JobKind::kImport:
      return tarn::v1::JOB_KIND_IMPORT;
    case checkpoint::JobKind::kExport:
      return tarn::v1::JOB_KIND_EXPORT;
    case checkpoint::JobKind::kDiff:
      return tarn::v1::JOB_KIND_DIFF;
  }
  return tarn::v1::JOB_KIND_UNSPECIFIED;
}

tarn::v1::JobState ToWireState(checkpoint::JobState state) {
  switch (state) {
    case checkpoint::JobState::kQueued:
      return tarn::v1::JOB_STATE_QUEUED;
    case checkpoint::JobState::kRunning:
      return tarn::v1::JOB_STATE_RUNNING;
    case checkpoint::JobState::kSucceeded:
      return tarn::v1::JOB_STATE_SUCCEEDED;
    case checkpoint::JobState::kFailed:
      return tarn::v1::JOB_STATE_FAILED;
    case checkpoint::JobState::kCancelled:
      return tarn::v1::JOB_STATE_CANCELLED;
  }
  return tarn::v1::JOB_STATE_UNSPECIFIED;
}

void FillHeader(const checkpoint::Header& header, tarn::v1::Checkpoint& message) {
  message.set_store_id(header.store_id);
  message.set_incarnation(header.number.incarnation);
  message.set_sequence(header.number.sequence);
  message.set_revision(header.revision);
  *message.mutable_create_time() = TimeUtil::MillisecondsToTimestamp(header.create_time);
  *message.mutable_as_of_time() = TimeUtil::MillisecondsToTimestamp(header.as_of);
  message.set_engine(header.engine);
  message.set_entry_count(header.entries);
  message.set_size_bytes(header.data_bytes);
  message.set_codec(CodecText(header.compression));
  message.set_root(base::ToHex(header.root));
  message.set_content_digest(checkpoint::ToHex(header.content_digest));
}

// Empty is right: it stands for one, or for all.
absl::Status CheckNamespace(absl::string_view name, absl::string_view path) {
  if (name.empty()) return absl::OkStatus();
  const absl::Status named = storage::CheckNamespaceName(name);
  return named.ok() ? named : AtField(named, path);
}

tarn::v1::CheckpointChangeKind ToWireKind(checkpoint::KeyChange::Kind kind) {
  switch (kind) {
    case checkpoint::KeyChange::Kind::kAdded:
      return tarn::v1::CHECKPOINT_CHANGE_KIND_ADDED;
    case checkpoint::KeyChange::Kind::kRemoved:
      return tarn::v1::CHECKPOINT_CHANGE_KIND_REMOVED;
    case checkpoint::KeyChange::Kind::kChanged:
      return tarn::v1::CHECKPOINT_CHANGE_KIND_CHANGED;
  }
  return tarn::v1::CHECKPOINT_CHANGE_KIND_UNSPECIFIED;
}

absl::StatusOr<RestoreRange> ToRestoreRange(const tarn::v1::RestoreRange& range,
                                            const storage::Limits& limits) {
  TARN_RETURN_IF_ERROR(CheckNamespace(range.namespace_(), "range.namespace"));
  RestoreRange wanted{.ns = range.namespace_(), .bounds = ToBounds(range.range())};
  const auto keys = storage::ToKeyRange(storage::kSystemNamespace, wanted.bounds, limits);
  if (!keys.ok()) return AtField(keys.status(), "range.range");
  return wanted;
}

}  // namespace

google::rpc::Status ToCheckpointError(const absl::Status& status) {
  const bool told = base::ReasonOf(status) != Reason::kNone || absl::IsCancelled(status) ||
                    absl::IsDataLoss(status);
  if (told) return ToWire(status);
  return ToWire(
      base::MakeError(absl::StatusCode::kInternal, Reason::kEngineError, status.message()));
}

absl::StatusOr<checkpoint::CheckpointId> ToCheckpointId(absl::string_view text,
                                                        absl::string_view path) {
  if (std::optional<checkpoint::CheckpointId> id = checkpoint::ParseCheckpointId(text))
    return *std::move(id);
  return InvalidField(Reason::kInvalidCheckpointId, path,
                      "this is no id of a checkpoint: those look like 00000007-0000000042");
}

absl::StatusOr<std::optional<checkpoint::CheckpointId>> ToIdOrLatest(absl::string_view text,
                                                                     absl::string_view path) {
  if (text == kLatest) return std::optional<checkpoint::CheckpointId>();
  TARN_ASSIGN_OR_RETURN(checkpoint::CheckpointId id, ToCheckpointId(text, path));
  return std::optional(std::move(id));
}

absl::StatusOr<checkpoint::CheckpointInfo> FindCheckpoint(const checkpoint::Catalog& catalog,
                                                          absl::string_view text,
                                                          absl::string_view path) {
  TARN_ASSIGN_OR_RETURN(const std::optional<checkpoint::CheckpointId> id, ToIdOrLatest(text, path));
  if (id) return catalog.Get(*id);
  if (std::optional<checkpoint::CheckpointInfo> newest = catalog.Newest()) return *newest;
  return base::MakeError(absl::StatusCode::kNotFound, Reason::kCheckpointNotFound,
                         "there is no intact checkpoint of this store");
}

checkpoint::ListedCheckpoint Listed(const CheckpointControl& control,
                                    const checkpoint::CheckpointInfo& info) {
  for (checkpoint::ListedCheckpoint& listed : control.List()) {
    if (listed.info.id == info.id) return std::move(listed);
  }
  return {.info = info};
}

absl::StatusOr<checkpoint::CreateRequest> ToCreateRequest(
    const tarn::v1::CreateCheckpointRequest& request) {
  if (!request.pin_reason().empty()) {
    const absl::Status fit = checkpoint::CheckPinReason(request.pin_reason());
    if (!fit.ok()) return AtField(fit, "pin_reason");
  }
  return checkpoint::CreateRequest{.if_unchanged = request.force()
                                                       ? checkpoint::IfUnchanged::kWriteNew
                                                       : checkpoint::IfUnchanged::kConfirm,
                                   .pin_reason = request.pin_reason()};
}

absl::Status CheckPin(const tarn::v1::PinCheckpointRequest& request) {
  const absl::Status fit = checkpoint::CheckPinReason(request.reason());
  return fit.ok() ? fit : AtField(fit, "reason");
}

absl::StatusOr<RestoreRequest> ToRestoreRequest(const tarn::v1::RestoreCheckpointRequest& request,
                                                const storage::Limits& limits) {
  RestoreRequest wanted;
  TARN_ASSIGN_OR_RETURN(wanted.id, ToIdOrLatest(request.id(), "id"));
  if (request.validate_only()) wanted.mode = RestoreMode::kValidateOnly;
  if (request.skip_safety_checkpoint()) wanted.safety = SafetyCheckpoint::kSkip;
  if (!request.has_range()) return wanted;
  if (request.validate_only() || request.skip_safety_checkpoint()) {
    return InvalidField(Reason::kInvalidRequest, "range",
                        "a range goes with neither validate_only nor skip_safety_checkpoint");
  }
  TARN_ASSIGN_OR_RETURN(wanted.range, ToRestoreRange(request.range(), limits));
  return wanted;
}

absl::Status CheckEntryRequest(const tarn::v1::GetCheckpointEntryRequest& request,
                               const storage::Limits& limits) {
  TARN_RETURN_IF_ERROR(CheckNamespace(request.namespace_(), "namespace"));
  if (request.key().empty()) return InvalidField(Reason::kInvalidKey, "key", "the key is empty");
  if (request.key().size() <= limits.max_key_bytes) return absl::OkStatus();
  return InvalidField(Reason::kKeyTooLarge, "key", "the key is longer than any key may be");
}

absl::StatusOr<checkpoint::DiffOptions> ToDiffOptions(
    const tarn::v1::DiffCheckpointsRequest& request) {
  TARN_RETURN_IF_ERROR(CheckNamespace(request.namespace_(), "namespace"));
  checkpoint::DiffOptions options{.ns = request.namespace_()};
  if (request.counts_only()) options.detail = checkpoint::DiffDetail::kCountsOnly;
  return options;
}

absl::StatusOr<absl::Duration> ToInterval(const tarn::v1::WatchJobRequest& request) {
  if (!request.has_interval()) return kDefaultInterval;
  const absl::Duration wanted =
      absl::Seconds(request.interval().seconds()) + absl::Nanoseconds(request.interval().nanos());
  if (wanted < absl::ZeroDuration())
    return InvalidField(Reason::kInvalidRequest, "interval", "the interval is negative");
  return std::clamp(wanted, kMinInterval, kMaxInterval);
}

void Fill(const checkpoint::ListedCheckpoint& listed, tarn::v1::Checkpoint& message) {
  const checkpoint::CheckpointInfo& info = listed.info;
  message.set_id(checkpoint::ToString(info.id));
  message.set_file_bytes(info.file_bytes);
  message.set_health(ToWireHealth(info.health));
  message.set_problem(ToString(info.problem.message()));
  if (info.health == checkpoint::Health::kIntact) FillHeader(info.header, message);
  message.set_fate(ToWireFate(listed.verdict.fate));
  message.set_why_kept(listed.verdict.why);
  if (!info.pin) return;
  message.set_pin_reason(info.pin->reason);
  *message.mutable_pin_time() = TimeUtil::MillisecondsToTimestamp(info.pin->time);
}

void Fill(const checkpoint::JobInfo& info, tarn::v1::Job& message) {
  message.set_id(info.id);
  message.set_kind(ToWireKind(info.kind));
  message.set_subject(info.subject);
  message.set_state(ToWireState(info.state));
  message.set_phase(info.phase);
  message.set_entry_count(info.entries);
  message.set_total_entry_count(info.total_entries);
  message.set_size_bytes(info.bytes);
  message.set_entries_per_second(info.entries_per_second);
  message.set_bytes_per_second(info.bytes_per_second);
  if (info.time_left) {
    *message.mutable_time_left() =
        TimeUtil::MillisecondsToDuration(absl::ToInt64Milliseconds(*info.time_left));
  }
  message.set_result(info.result);
  if (!info.error.ok()) *message.mutable_error() = ToCheckpointError(info.error);
  *message.mutable_create_time() = TimeUtil::MillisecondsToTimestamp(info.create_time);
  if (info.start_time != 0)
    *message.mutable_start_time() = TimeUtil::MillisecondsToTimestamp(info.start_time);
  if (info.end_time != 0)
    *message.mutable_end_time() = TimeUtil::MillisecondsToTimestamp(info.end_time);
}

void Fill(const storage::EntryView& entry, tarn::v1::Entry& message) {
  message.set_key(ToString(entry.key));
  message.set_value(ToString(entry.value));
  message.set_revision(entry.revision);
  message.set_expire_time_ms(entry.deadline);
}

void Fill(const checkpoint::KeyChange& change, tarn::v1::CheckpointChange& message) {
  message.set_kind(ToWireKind(change.kind));
  message.set_namespace_(change.ns);
  message.set_key(change.key);
}

void Fill(const checkpoint::DiffTotals& totals, tarn::v1::CheckpointDiffTotals& message) {
  message.set_added_count(totals.added);
  message.set_removed_count(totals.removed);
  message.set_changed_count(totals.changed);
  message.set_same_count(totals.same);
}

}  // namespace tarn::server
