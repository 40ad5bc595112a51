#include "checkpoint/scheduler.h"

#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::checkpoint {
namespace {

absl::Status Draining() {
  return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kDraining,
                         "the daemon is being stopped");
}

bool CanJoin(const CreateRequest& waiting, const CreateRequest& other) {
  return waiting.pin_reason == other.pin_reason;
}

absl::StatusOr<std::string> ResultOf(const absl::StatusOr<CreateReport>& report) {
  if (!report.ok()) return report.status();
  return ToString(report->info.id);
}

}  // namespace

Scheduler::Scheduler(const Dependencies& dependencies, const PacingOptions& options)
    : dependencies_(dependencies), pacing_(options, dependencies.clock.MonotonicNanos()) {
  thread_ = std::thread([this] { Work(); });
}

Scheduler::~Scheduler() { Stop(FinalCheckpoint::kSkip).IgnoreError(); }

absl::StatusOr<JobId> Scheduler::Request(const CreateRequest& request) {
  if (!request.pin_reason.empty()) TARN_RETURN_IF_ERROR(CheckPinReason(request.pin_reason));
  const absl::MutexLock lock(&mutex_);
  if (stopping_) return Draining();
  for (Turn& waiting : requested_) {
    if (!CanJoin(waiting.request, request)) continue;
    if (request.if_unchanged == IfUnchanged::kWriteNew)
      waiting.request.if_unchanged = IfUnchanged::kWriteNew;
    return waiting.job->id();
  }
  TARN_ASSIGN_OR_RETURN(Job job, dependencies_.jobs.Begin(JobKind::kCheckpoint, "requested"));
  const JobId id = job.id();
  requested_.push_back({Turn::Cause::kRequest, request, std::move(job)});
  return id;
}

Scheduler::Hold Scheduler::Suspend() {
  const absl::MutexLock lock(&mutex_);
  ++holds_;
  mutex_.Await(absl::Condition(this, &Scheduler::IsIdle));
  return Hold(*this);
}

Scheduler::Hold::~Hold() {
  if (scheduler_ == nullptr) return;
  const absl::MutexLock lock(&scheduler_->mutex_);
  --scheduler_->holds_;
}

void Scheduler::SetPacing(const PacingOptions& options) {
  const absl::MutexLock lock(&mutex_);
  pacing_ = Pacing(options, dependencies_.clock.MonotonicNanos());
  repaced_ = true;
}

absl::Status Scheduler::Stop(FinalCheckpoint final_checkpoint) {
  {
    const absl::MutexLock lock(&mutex_);
    if (std::exchange(stopping_, true)) return absl::OkStatus();
    final_ = final_checkpoint;
  }
  thread_.join();
  return final_status_;
}

void Scheduler::Interrupt() {
  const absl::MutexLock lock(&mutex_);
  interrupted_ = true;
  if (current_ != nullptr) current_->cancel = true;
}

void Scheduler::Work() {
  while (std::optional<Turn> turn = NextTurn()) {
    // Whoever asked is told by the job, everybody else by the maker's status and log.
    Run(*std::move(turn)).IgnoreError();
  }
  RunFinal();
}

bool Scheduler::HasNews() const {
  return stopping_ || repaced_ || holds_ != 0 || !requested_.empty();
}

// Waits for a tick or a request; nothing when it is being stopped.
std::optional<Scheduler::Turn> Scheduler::NextTurn() {
  const absl::MutexLock lock(&mutex_);
  while (true) {
    mutex_.Await(absl::Condition(this, &Scheduler::MayGoOn));
    if (stopping_) return std::nullopt;
    repaced_ = false;
    if (!requested_.empty()) return TakeRequest();
    if (dependencies_.clock.MonotonicNanos() >= pacing_.due()) {
      busy_ = true;
      return Turn{};
    }
    dependencies_.waiter.WaitUntil(mutex_, absl::Condition(this, &Scheduler::HasNews),
                                   pacing_.due());
  }
}

Scheduler::Turn Scheduler::TakeRequest() {
  busy_ = true;
  Turn turn = std::move(requested_.front());
  requested_.pop_front();
  return turn;
}

absl::Status Scheduler::Run(Turn turn) {
  if (!turn.job) {
    // Without a job, when there are too many, it is made all the same.
    absl::StatusOr<Job> job = dependencies_.jobs.Begin(
        JobKind::kCheckpoint, turn.cause == Turn::Cause::kStop ? "final" : "scheduled");
    if (job.ok()) turn.job.emplace(*std::move(job));
  }
  Progress own_progress;
  if (turn.job) turn.job->Start();
  const absl::StatusOr<CreateReport> report =
      Make(turn.request, turn.job ? turn.job->progress() : own_progress);
  if (!turn.job) return report.status();
  if (turn.cause != Turn::Cause::kRequest && report.ok()) {
    (*std::move(turn.job)).Forget();
  } else {
    (*std::move(turn.job)).End(ResultOf(report));
  }
  return report.status();
}

absl::StatusOr<CreateReport> Scheduler::Make(const CreateRequest& request, Progress& progress) {
  {
    const absl::MutexLock lock(&mutex_);
    current_ = &progress;
    if (interrupted_) progress.cancel = true;
  }
  const int64_t start = dependencies_.clock.MonotonicNanos();
  absl::StatusOr<CreateReport> report = absl::CancelledError("the checkpoint was cancelled");
  if (!progress.cancel) report = dependencies_.maker.Create(request, progress);
  const absl::MutexLock lock(&mutex_);
  current_ = nullptr;
  busy_ = false;
  pacing_.Ran(start, dependencies_.clock.MonotonicNanos());
  return report;
}

// What was requested by now is served by the final one. (Pins that differ each get theirs, and all
// but the first are confirmations.)
void Scheduler::RunFinal() {
  std::deque<Turn> turns;
  {
    const absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Scheduler::MayMakeFinal));
    busy_ = true;
    turns.swap(requested_);
    if (final_ == FinalCheckpoint::kMake && turns.empty())
      turns.push_back({Turn::Cause::kStop, {}, std::nullopt});
    for (Turn& turn : turns) {
      if (final_ == FinalCheckpoint::kSkip) (*std::move(turn.job)).End(Draining());
    }
    if (final_ == FinalCheckpoint::kSkip) return;
  }
  for (Turn& turn : turns) final_status_.Update(Run(std::move(turn)));
}

}  // namespace tarn::checkpoint
