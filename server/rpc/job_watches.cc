#include "server/rpc/job_watches.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/rpc/checkpoint_messages.h"
#include "server/rpc/errors.h"
#include "storage/base/error.h"

namespace tarn::server {
namespace {

using Outcome = StreamHandler::Outcome;

absl::Status TooManyWatches(size_t max) {
  return base::MakeError(absl::StatusCode::kResourceExhausted, base::Reason::kQueueFull,
                         absl::StrCat(max, " calls are watching jobs already"));
}

absl::Status Draining() {
  return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kDraining,
                         "the server is shutting down");
}

}  // namespace

// What one call has sent and has still to send. Shared by the call and by the thread, which may
// look at it once more after the call has ended.
class JobWatches::Watched {
 public:
  Watched(const checkpoint::JobRegistry& jobs, const JobWatch& watch, const base::Clock& clock,
          ResponseStream<tarn::v1::WatchJobResponse>& stream)
      : jobs_(jobs), watch_(watch), clock_(clock), stream_(stream) {}

  void Look() {
    switch (Decide()) {
      case Step::kNothing:
        return;
      case Step::kWrite:
        return stream_.Write(response_);
      case Step::kFinish:
        return end_.ok() ? stream_.Finish() : stream_.Fail(ToWire(end_));
    }
  }

  void Written(Outcome outcome) {
    {
      const absl::MutexLock lock(&mutex_);
      writing_ = false;
      if (outcome == Outcome::kFailed) ending_ = true;
    }
    Look();
  }

  // As soon as nothing is being written.
  void End(const absl::Status& status) {
    {
      const absl::MutexLock lock(&mutex_);
      if (!std::exchange(ending_, true)) end_ = status;
    }
    Look();
  }

 private:
  enum class Step : uint8_t { kNothing, kWrite, kFinish };

  Step Decide() {
    const absl::MutexLock lock(&mutex_);
    if (writing_ || finished_) return Step::kNothing;
    if (ending_) return Finish();
    const absl::StatusOr<checkpoint::JobInfo> job = jobs_.Get(watch_.id);
    if (!job.ok()) {
      end_ = job.status();
      return Finish();
    }
    const int64_t now = clock_.MonotonicNanos();
    const bool silent_for_long = now - sent_nanos_ >= absl::ToInt64Nanoseconds(watch_.interval);
    if (job->version == sent_version_ && !silent_for_long) return Step::kNothing;
    sent_version_ = job->version;
    sent_nanos_ = now;
    ending_ = checkpoint::HasEnded(job->state);
    response_.Clear();
    Fill(*job, *response_.mutable_job());
    writing_ = true;
    return Step::kWrite;
  }

  Step Finish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    finished_ = true;
    return Step::kFinish;
  }

  const checkpoint::JobRegistry& jobs_;  // These two are there until `finished_`.
  const JobWatch watch_;
  const base::Clock& clock_;
  ResponseStream<tarn::v1::WatchJobResponse>& stream_;
  tarn::v1::WatchJobResponse response_;  // Untouched while `writing_`.
  absl::Status end_;                     // Untouched once `finished_`.

  absl::Mutex mutex_;
  uint64_t sent_version_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t sent_nanos_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

// The transport's side of one call.
class JobWatches::Handler final : public StreamHandler {
 public:
  Handler(JobWatches& watches, std::shared_ptr<Watched> watched)
      : watches_(watches), watched_(std::move(watched)) {}
  ~Handler() override { watches_.Leave(watched_); }

  void Start() override {
    const std::shared_ptr<Watched> watched = watched_;  // The call may be over before the return.
    if (!watches_.Join(watched)) return watched->End(TooManyWatches(watches_.options_.max_watches));
    watched->Look();
  }
  void OnWritten(Outcome outcome) override { watched_->Written(outcome); }
  void OnCancelled() override { watched_->End(absl::CancelledError("the caller gave up")); }
  void OnDrain() override { watched_->End(Draining()); }

 private:
  JobWatches& watches_;
  const std::shared_ptr<Watched> watched_;
};

JobWatches::JobWatches(const Options& options, const base::Clock& clock)
    : options_(options), clock_(clock), thread_([this] { Work(); }) {}

JobWatches::~JobWatches() {
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

std::unique_ptr<StreamHandler> JobWatches::Watch(
    const checkpoint::JobRegistry& jobs, const JobWatch& watch,
    ResponseStream<tarn::v1::WatchJobResponse>& stream) {
  return std::make_unique<Handler>(*this, std::make_shared<Watched>(jobs, watch, clock_, stream));
}

void JobWatches::Work() {
  while (true) {
    {
      const absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &JobWatches::IsNeeded));
      if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), options_.period)) return;
    }
    LookAtAll();
  }
}

void JobWatches::LookAtAll() {
  std::vector<std::shared_ptr<Watched>> watched;
  {
    const absl::MutexLock lock(&mutex_);
    watched.assign(watched_.begin(), watched_.end());
  }
  for (const auto& one : watched) one->Look();
}

bool JobWatches::Join(const std::shared_ptr<Watched>& watched) {
  const absl::MutexLock lock(&mutex_);
  return watched_.size() < options_.max_watches && watched_.insert(watched).second;
}

void JobWatches::Leave(const std::shared_ptr<Watched>& watched) {
  const absl::MutexLock lock(&mutex_);
  watched_.erase(watched);
}

}  // namespace tarn::server
