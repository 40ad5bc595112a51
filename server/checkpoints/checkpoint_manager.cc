#include "server/checkpoints/checkpoint_manager.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/checkpoints/safety.h"
#include "storage/base/error.h"
#include "storage/base/logging.h"
#include "storage/base/status.h"
#include "storage/key_range.h"
#include "storage/namespace_record.h"

namespace tarn::server {
namespace {

using checkpoint::FinalCheckpoint;
using checkpoint::Job;
using checkpoint::JobId;
using checkpoint::JobKind;

checkpoint::CheckpointerOptions CheckpointerOptionsOf(const CheckpointManagerOptions& options) {
  checkpoint::CheckpointerOptions checkpointer;
  checkpointer.writer = options.writer;
  checkpointer.retention = options.schedule.retention;
  checkpointer.retention.protect_before = options.protect_before;
  return checkpointer;
}

bool IsOn(const CheckpointSchedule& schedule) { return schedule.interval > absl::ZeroDuration(); }

checkpoint::PacingOptions PacingOf(const CheckpointSchedule& schedule) {
  return {.interval = IsOn(schedule) ? schedule.interval : absl::InfiniteDuration()};
}

absl::Status CheckRangeRestore(const RestoreRequest& request, const storage::Limits& limits) {
  if (request.mode == RestoreMode::kValidateOnly || request.safety == SafetyCheckpoint::kSkip) {
    return base::MakeError(absl::StatusCode::kInvalidArgument, base::Reason::kInvalidRequest,
                           "the restore of a range can neither be validated only nor go without "
                           "a safety checkpoint");
  }
  if (!request.range->ns.empty())
    TARN_RETURN_IF_ERROR(storage::CheckNamespaceName(request.range->ns));
  return storage::ToKeyRange(storage::kSystemNamespace, request.range->bounds, limits).status();
}

}  // namespace

CheckpointManager::CheckpointManager(const Dependencies& dependencies,
                                     const storage::StoreMeta& meta,
                                     const CheckpointManagerOptions& options)
    : dependencies_(dependencies),
      jobs_({}, dependencies.clock),
      checkpointer_({dependencies.store.engine(), dependencies.ledger, dependencies.catalog,
                     dependencies.clock, dependencies.counts},
                    meta, CheckpointerOptionsOf(options)),
      waiter_(dependencies.clock),
      scheduler_({checkpointer_, jobs_, dependencies.clock, waiter_}, PacingOf(options.schedule)),
      start_time_(dependencies.clock.Now()),
      interval_nanos_(absl::ToInt64Nanoseconds(options.schedule.interval)),
      full_restore_({dependencies.store, dependencies.directory, dependencies.catalog,
                     dependencies.restorer, dependencies.range_restorer, checkpointer_, scheduler_,
                     dependencies.host}),
      range_gate_(dependencies.store, scheduler_),
      executor_(
          std::make_unique<base::ThreadPool>(base::ThreadPool::Options{.name = "tarn-jobs"})) {}

CheckpointManager::~CheckpointManager() {
  interval_nanos_ = 0;
  Stop().IgnoreError();
}

absl::StatusOr<JobId> CheckpointManager::Create(const checkpoint::CreateRequest& request) {
  return scheduler_.Request(request);
}

absl::StatusOr<JobId> CheckpointManager::Verify(const checkpoint::CheckpointId& id) {
  TARN_RETURN_IF_ERROR(catalog().Get(id).status());
  return Launch(JobKind::kVerify, ToString(id),
                [this, id](Job& job) -> absl::StatusOr<std::string> {
                  TARN_RETURN_IF_ERROR(dependencies_.restorer.Verify(id, job.progress()));
                  return ToString(id);
                });
}

absl::Status CheckpointManager::CheckTarget(const RestoreRequest& request) const {
  if (request.id) return dependencies_.catalog.Get(*request.id).status();
  if (dependencies_.catalog.Newest()) return absl::OkStatus();
  return base::MakeError(absl::StatusCode::kNotFound, base::Reason::kCheckpointNotFound,
                         "there is no checkpoint");
}

absl::StatusOr<JobId> CheckpointManager::Restore(const RestoreRequest& request) {
  TARN_RETURN_IF_ERROR(CheckTarget(request));
  const std::string subject = request.id ? ToString(*request.id) : "latest";
  if (request.range) {
    TARN_RETURN_IF_ERROR(CheckRangeRestore(request, dependencies_.store.limits()));
    return LaunchRestore(subject, [this, request](Job& job) { return RestoreRange(request, job); });
  }
  if (request.mode == RestoreMode::kValidateOnly) {
    return Launch(JobKind::kRestore, subject,
                  [this, request](Job& job) { return full_restore_.Validate(request, job); });
  }
  return LaunchRestore(subject,
                       [this, request](Job& job) { return full_restore_.Run(request, job); });
}

absl::StatusOr<JobId> CheckpointManager::LaunchRestore(const std::string& subject, Work work) {
  if (restoring_.exchange(true)) {
    return base::MakeError(absl::StatusCode::kFailedPrecondition, base::Reason::kRestoreRunning,
                           "a restore is under way");
  }
  // Ends with the last that knows of the work, however that ends.
  const std::shared_ptr<void> turn(nullptr, [this](void*) { restoring_ = false; });
  return Launch(JobKind::kRestore, subject,
                [this, turn, work = std::move(work)](Job& job) { return RunRestore(work, job); });
}

absl::StatusOr<std::string> CheckpointManager::RunRestore(const Work& work, Job& job) {
  const int64_t begun = dependencies_.clock.MonotonicNanos();
  absl::StatusOr<std::string> result = work(job);
  if (result.ok()) {
    dependencies_.counts.Restored(absl::Nanoseconds(dependencies_.clock.MonotonicNanos() - begun));
    base::LogInfo("restore job ", job.id(), " restored checkpoint ", *result);
  } else {
    dependencies_.counts.Failed();
    base::LogError("restore job ", job.id(), " failed: ", result.status().message());
  }
  return result;
}

// The latest one is proved before anything begins, so that an older one can be taken.
absl::StatusOr<checkpoint::CheckpointId> CheckpointManager::FindTarget(
    const RestoreRequest& request, Job& job) {
  if (request.id) return *request.id;
  TARN_ASSIGN_OR_RETURN(const std::string id, full_restore_.Validate(request, job));
  return *checkpoint::ParseCheckpointId(id);
}

absl::StatusOr<std::string> CheckpointManager::RestoreRange(const RestoreRequest& request,
                                                            Job& job) {
  TARN_ASSIGN_OR_RETURN(const checkpoint::CheckpointId target, FindTarget(request, job));
  const std::string ns =
      request.range->ns.empty() ? std::string(storage::kDefaultNamespace) : request.range->ns;
  TARN_ASSIGN_OR_RETURN(const storage::KeyRange range,
                        storage::ToKeyRange(storage::kSystemNamespace, request.range->bounds,
                                            dependencies_.store.limits()));
  checkpoint::RangeRestorer& restorer = dependencies_.range_restorer;
  // An earlier one may have been left between two states.
  TARN_RETURN_IF_ERROR(
      restorer.Settle(dependencies_.store.Stats().engine.revision, job.progress()));
  const auto make_safety = [&]() -> absl::StatusOr<checkpoint::CheckpointId> {
    TARN_ASSIGN_OR_RETURN(const Safety safety,
                          MakeSafety(checkpointer_, dependencies_.catalog,
                                     absl::StrCat("the state before the restore of a range of ", ns,
                                                  " from ", ToString(target)),
                                     job.progress()));
    return safety.id;
  };
  TARN_RETURN_IF_ERROR(
      restorer.Restore({.target = target, .ns = ns, .start = range.start, .end = range.end},
                       range_gate_, make_safety, job.progress()));
  return ToString(target);
}

absl::StatusOr<JobId> CheckpointManager::Launch(JobKind kind, const std::string& subject,
                                                Work work) {
  TARN_ASSIGN_OR_RETURN(Job begun, jobs_.Begin(kind, subject));
  const auto job = std::make_shared<Job>(std::move(begun));
  const JobId id = job->id();
  const absl::Status submitted = executor_->Submit([job, work = std::move(work)]() mutable {
    job->Start();
    absl::StatusOr<std::string> result = absl::CancelledError("cancelled before it began");
    if (!job->progress().cancel) result = work(*job);
    work = nullptr;  // Whoever sees the job's end may begin another.
    std::move(*job).End(result);
  });
  if (submitted.ok()) return id;
  std::move(*job).Forget();
  return submitted;
}

void CheckpointManager::SetSchedule(const CheckpointSchedule& schedule) {
  checkpoint::RetentionPolicy retention = schedule.retention;
  retention.protect_before = checkpointer_.retention().protect_before;
  checkpointer_.SetRetention(retention);
  scheduler_.SetPacing(PacingOf(schedule));
  interval_nanos_ = absl::ToInt64Nanoseconds(schedule.interval);
}

void CheckpointManager::CancelJobs() {
  for (const checkpoint::JobInfo& job : jobs_.List()) {
    if (job.kind != JobKind::kCheckpoint) jobs_.Cancel(job.id).IgnoreError();
  }
}

absl::Status CheckpointManager::Stop() {
  const absl::MutexLock lock(&stopping_);
  CancelJobs();
  executor_.reset();
  // What must not be served must not become the newest checkpoint either.
  if (full_restore_.shut_for_good() || dependencies_.range_restorer.stuck()) scheduler_.Interrupt();
  const absl::Status status =
      scheduler_.Stop(interval_nanos_ > 0 ? FinalCheckpoint::kMake : FinalCheckpoint::kSkip);
  dependencies_.range_restorer.LetGo();
  return status;
}

CheckpointFigures CheckpointManager::Figures() const {
  CheckpointFigures figures;
  figures.status = checkpointer_.Status();
  figures.interval = absl::Nanoseconds(interval_nanos_.load());
  const base::UnixMs confirmed = figures.status.confirmed_time;
  figures.age =
      absl::Milliseconds(dependencies_.clock.Now() - (confirmed == 0 ? start_time_ : confirmed));
  for (const checkpoint::CheckpointInfo& info : dependencies_.catalog.List()) {
    ++figures.files;
    figures.file_bytes += info.file_bytes;
  }
  const RestoreTotals totals = dependencies_.counts.Read();
  figures.quarantined = totals.quarantined;
  figures.restores = totals.restores;
  figures.restore_failures = totals.failures;
  figures.last_restore = totals.last_duration;
  figures.jobs = jobs_.List();
  return figures;
}

std::string CheckpointManager::RestorePhase() const {
  if (!restoring_) return "";
  for (const checkpoint::JobInfo& job : jobs_.List()) {
    if (job.kind == JobKind::kRestore && job.state == checkpoint::JobState::kRunning)
      return absl::StrCat("restoring checkpoint ", job.subject, ": ", job.phase);
  }
  return "";
}

}  // namespace tarn::server
