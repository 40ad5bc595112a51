#include "server/checkpoints/checkpoint_manager.h"

#include <string>
#include <utility>

#include "storage/base/error.h"
#include "storage/base/logging.h"
#include "storage/base/status.h"

namespace tarn::server {
namespace {

using checkpoint::FinalCheckpoint;
using checkpoint::JobId;
using checkpoint::JobKind;
using checkpoint::Progress;

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

FinalCheckpoint FinalOf(const CheckpointSchedule& schedule) {
  return IsOn(schedule) ? FinalCheckpoint::kMake : FinalCheckpoint::kSkip;
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
      final_(FinalOf(options.schedule)),
      executor_(
          std::make_unique<base::ThreadPool>(base::ThreadPool::Options{.name = "tarn-jobs"})) {}

CheckpointManager::~CheckpointManager() {
  final_ = FinalCheckpoint::kSkip;
  Stop().IgnoreError();
}

absl::StatusOr<JobId> CheckpointManager::Create(const checkpoint::CreateRequest& request) {
  return scheduler_.Request(request);
}

absl::StatusOr<JobId> CheckpointManager::Verify(const checkpoint::CheckpointId& id) {
  TARN_RETURN_IF_ERROR(catalog().Get(id).status());
  return Launch(JobKind::kVerify, ToString(id),
                [this, id](Progress& progress) -> absl::StatusOr<std::string> {
                  TARN_RETURN_IF_ERROR(dependencies_.restorer.Verify(id, progress));
                  return ToString(id);
                });
}

absl::StatusOr<JobId> CheckpointManager::Restore(const RestoreRequest& /*request*/) {
  return base::MakeError(absl::StatusCode::kUnimplemented, base::Reason::kUnsupported,
                         "restores are made at the start only");
}

absl::StatusOr<JobId> CheckpointManager::Launch(JobKind kind, const std::string& subject,
                                                Work work) {
  TARN_ASSIGN_OR_RETURN(checkpoint::Job begun, jobs_.Begin(kind, subject));
  const auto job = std::make_shared<checkpoint::Job>(std::move(begun));
  const absl::Status submitted = executor_->Submit([job, work = std::move(work)]() mutable {
    job->Start();
    absl::StatusOr<std::string> result = absl::CancelledError("cancelled before it began");
    if (!job->progress().cancel) result = std::move(work)(job->progress());
    std::move(*job).End(result);
  });
  if (submitted.ok()) return job->id();
  std::move(*job).Forget();
  return submitted;
}

void CheckpointManager::SetSchedule(const CheckpointSchedule& schedule) {
  checkpoint::RetentionPolicy retention = schedule.retention;
  retention.protect_before = checkpointer_.retention().protect_before;
  checkpointer_.SetRetention(retention);
  scheduler_.SetPacing(PacingOf(schedule));
  final_ = FinalOf(schedule);
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
  return scheduler_.Stop(final_);
}

}  // namespace tarn::server
