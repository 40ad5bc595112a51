#include "checkpoint/checkpointer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/logging.h"
#include "storage/base/status.h"

namespace tarn::checkpoint {
namespace {

// An estimate from the last file errs when values change in kind: so much more is asked for.
constexpr double kSpaceMargin = 1.25;
constexpr uint64_t kFixedBytes = 1 << 20;  // Header, index and the last blocks.

struct StateSize {
  uint64_t entries = 0;
  uint64_t bytes = 0;
};

StateSize SizeOf(const std::vector<NamedNamespace>& namespaces,
                 const storage::UsageLedger& ledger) {
  StateSize size;
  for (const NamedNamespace& ns : namespaces) {
    const storage::Usage usage = ledger.Get(ns.id);
    size.entries += static_cast<uint64_t>(std::max<int64_t>(0, usage.entries));
    size.bytes += static_cast<uint64_t>(std::max<int64_t>(0, usage.bytes));
  }
  return size;
}

double RatioOf(const CheckpointInfo& info) {
  if (info.file_bytes == 0) return 0;
  return static_cast<double>(info.header.data_bytes) / static_cast<double>(info.file_bytes);
}

// As much as the last one's bytes have shrunk, or not at all when there is no telling.
uint64_t EstimateFileBytes(uint64_t state_bytes, Codec codec,
                           const std::optional<CheckpointInfo>& last) {
  const bool telling =
      last && last->header.compression.codec == codec && last->header.data_bytes >= kFixedBytes;
  const double ratio = telling ? RatioOf(*last) : 1;
  const double bytes = static_cast<double>(state_bytes) / std::max(ratio, 1.0) * kSpaceMargin;
  return kFixedBytes + static_cast<uint64_t>(bytes);
}

bool MayTryAgain(const absl::Status& status) {
  return base::ReasonOf(status) == base::Reason::kSnapshotExpired;
}

absl::Status NoRoom(uint64_t needed, const base::DiskSpace& space) {
  return base::MakeError(absl::StatusCode::kResourceExhausted, base::Reason::kDiskFull,
                         absl::StrCat("a checkpoint needs about ", needed, " bytes and ",
                                      space.free_bytes, " are free"));
}

}  // namespace

double CheckpointerStatus::compression_ratio() const { return newest ? RatioOf(*newest) : 0; }

Checkpointer::Checkpointer(const Dependencies& dependencies, const storage::StoreMeta& meta,
                           const CheckpointerOptions& options)
    : dependencies_(dependencies), meta_(meta), options_(options), retention_(options.retention) {
  // Before the first of this process, the newest is as old as it says.
  const std::optional<CheckpointInfo> newest = dependencies_.catalog.Newest();
  const absl::MutexLock lock(&mutex_);
  if (newest) status_.confirmed_time = newest->header.create_time;
}

absl::StatusOr<CreateReport> Checkpointer::Create(const CreateRequest& request,
                                                  Progress& progress) {
  const int64_t started = dependencies_.clock.MonotonicNanos();
  absl::StatusOr<CreateReport> report = CreateOrConfirm(request, progress);
  if (report.ok())
    report->duration = absl::Nanoseconds(dependencies_.clock.MonotonicNanos() - started);
  Record(report);
  return report;
}

absl::StatusOr<CreateReport> Checkpointer::CreateOrConfirm(const CreateRequest& request,
                                                           Progress& progress) {
  CreateReport report;
  std::optional<CheckpointInfo> unchanged;
  if (request.if_unchanged == IfUnchanged::kConfirm) unchanged = FindUnchanged();
  if (unchanged) {
    report.outcome = CreateReport::Outcome::kConfirmed;
    report.info = *std::move(unchanged);
  } else {
    TARN_ASSIGN_OR_RETURN(report.info, WriteNew(progress));
  }
  if (!request.pin_reason.empty()) {
    TARN_RETURN_IF_ERROR(dependencies_.catalog.SetPin(report.info.id, request.pin_reason));
    TARN_ASSIGN_OR_RETURN(report.info, dependencies_.catalog.Get(report.info.id));
  }
  progress.phase = "removing old ones";
  const bool judges = request.older_ones == OlderOnes::kJudge;
  if (judges && report.outcome == CreateReport::Outcome::kCreated) report.deleted = Retain();
  return report;
}

// The newest one when it has the current revision, is there, and still proves its head. The
// revision is asked first: what is committed after that is the next one's.
std::optional<CheckpointInfo> Checkpointer::FindUnchanged() {
  const storage::Revision revision = dependencies_.engine.Stats().revision;
  const std::optional<CheckpointInfo> newest = dependencies_.catalog.Newest();
  if (!newest || newest->header.revision != revision) return std::nullopt;
  const absl::StatusOr<CheckpointInfo> still = dependencies_.catalog.Refresh(newest->id);
  if (!still.ok() || still->health != Health::kIntact) return std::nullopt;
  return *still;
}

absl::StatusOr<CheckpointInfo> Checkpointer::WriteNew(Progress& progress) {
  if (const absl::Status swept = dependencies_.catalog.Sweep(); !swept.ok())
    base::LogWarning("leftovers of earlier checkpoints stay: ", swept.message());
  for (int attempt = 1;; ++attempt) {
    absl::StatusOr<CheckpointInfo> info = WriteOnce(progress);
    if (info.ok() || !MayTryAgain(info.status()) || attempt >= options_.max_attempts) return info;
    base::LogWarning("a checkpoint begins again: ", info.status().message());
  }
}

absl::StatusOr<CheckpointInfo> Checkpointer::WriteOnce(Progress& progress) {
  progress.phase = "opening a snapshot";
  progress.entries = 0;
  progress.bytes = 0;
  TARN_ASSIGN_OR_RETURN(std::unique_ptr<storage::Snapshot> snapshot,
                        dependencies_.engine.OpenSnapshot(storage::SnapshotPurpose::kCheckpoint));
  TARN_RETURN_IF_ERROR(CheckSpace(*snapshot, progress));
  const storage::Incarnation incarnation =
      std::max(meta_.incarnation, storage::IncarnationOf(snapshot->revision()));
  Catalog::Draft draft = dependencies_.catalog.NewDraft(incarnation);
  const Origin origin{.store_id = meta_.store_id,
                      .number = draft.id().number,
                      .engine = std::string(dependencies_.engine.name()),
                      .create_time = dependencies_.clock.Now()};
  progress.phase = "writing";
  TARN_RETURN_IF_ERROR(WriteCheckpoint(*snapshot, origin, options_.writer,
                                       dependencies_.catalog.directory().files(), draft.path(),
                                       progress)
                           .status());
  snapshot.reset();  // Writers need not pay for it any longer.
  progress.phase = "publishing";
  return std::move(draft).Publish();
}

absl::Status Checkpointer::CheckSpace(storage::Snapshot& snapshot, Progress& progress) const {
  TARN_ASSIGN_OR_RETURN(const std::vector<NamedNamespace> namespaces, ReadNamespaces(snapshot));
  const StateSize size = SizeOf(namespaces, dependencies_.ledger);
  progress.total_entries = size.entries;
  TARN_ASSIGN_OR_RETURN(const base::DiskSpace space, dependencies_.catalog.Space());
  const uint64_t needed =
      options_.min_free_bytes + EstimateFileBytes(size.bytes, options_.writer.compression.codec,
                                                  dependencies_.catalog.Newest());
  return needed <= space.free_bytes ? absl::OkStatus() : NoRoom(needed, space);
}

// A checkpoint that cannot be deleted now is judged again after the next one.
size_t Checkpointer::Retain() {
  size_t deleted = 0;
  for (const RetentionVerdict& verdict :
       JudgeRetention(dependencies_.catalog.List(), retention(), dependencies_.clock.Now())) {
    if (verdict.fate == Fate::kKeep) continue;
    const absl::Status status = dependencies_.catalog.Delete(verdict.id);
    if (status.ok()) {
      ++deleted;
    } else {
      base::LogWarning("checkpoint ", ToString(verdict.id), " stays: ", status.message());
    }
  }
  return deleted;
}

void Checkpointer::Record(const absl::StatusOr<CreateReport>& report) {
  const base::UnixMs now = dependencies_.clock.Now();
  const bool created = report.ok() && report->outcome == CreateReport::Outcome::kCreated;
  {
    const absl::MutexLock lock(&mutex_);
    if (report.ok()) {
      ++(created ? status_.created : status_.skipped);
      status_.deleted += report->deleted;
      status_.confirmed_time = now;
      status_.last_error = absl::OkStatus();
      if (created) {
        status_.last_success_time = now;
        status_.last_duration = report->duration;
      }
    } else {
      ++(absl::IsCancelled(report.status()) ? status_.cancelled : status_.failed);
      status_.last_error = report.status();
      status_.last_error_time = now;
    }
  }
  if (created) return dependencies_.observer.OnCreated(*report);
  if (report.ok()) return dependencies_.observer.OnConfirmed(*report);
  if (!absl::IsCancelled(report.status()))
    base::LogError("a checkpoint failed: ", report.status().message());
  dependencies_.observer.OnCreateFailed(report.status());
}

CheckpointerStatus Checkpointer::Status() const {
  std::optional<CheckpointInfo> newest = dependencies_.catalog.Newest();
  const absl::MutexLock lock(&mutex_);
  CheckpointerStatus status = status_;
  status.newest = std::move(newest);
  if (!status.newest) status.confirmed_time = 0;
  return status;
}

std::vector<ListedCheckpoint> Checkpointer::List() const {
  std::vector<CheckpointInfo> infos = dependencies_.catalog.List();
  std::vector<RetentionVerdict> verdicts =
      JudgeRetention(infos, retention(), dependencies_.clock.Now());
  std::vector<ListedCheckpoint> listed;
  for (size_t i = 0; i < infos.size(); ++i)
    listed.push_back({std::move(infos[i]), std::move(verdicts[i])});
  return listed;
}

void Checkpointer::SetRetention(const RetentionPolicy& policy) {
  const absl::MutexLock lock(&mutex_);
  retention_ = policy;
}

RetentionPolicy Checkpointer::retention() const {
  const absl::MutexLock lock(&mutex_);
  return retention_;
}

void Checkpointer::StopProtecting() {
  const absl::MutexLock lock(&mutex_);
  retention_.protect_before = 0;
}

}  // namespace tarn::checkpoint
