#include "checkpoint/jobs.h"

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::checkpoint {
namespace {

constexpr double kNanosPerSecond = 1e9;

absl::Status NoSuchJob(JobId id) {
  return base::MakeError(absl::StatusCode::kNotFound, base::Reason::kJobNotFound,
                         absl::StrCat("there is no job ", id));
}

JobState EndStateOf(const absl::Status& status) {
  if (status.ok()) return JobState::kSucceeded;
  return absl::IsCancelled(status) ? JobState::kCancelled : JobState::kFailed;
}

// At the rate so far.
std::optional<absl::Duration> TimeLeft(const JobInfo& info) {
  if (info.entries_per_second <= 0 || info.total_entries <= info.entries) return std::nullopt;
  return absl::Seconds(static_cast<double>(info.total_entries - info.entries) /
                       info.entries_per_second);
}

}  // namespace

absl::string_view JobKindName(JobKind kind) {
  switch (kind) {
    case JobKind::kCheckpoint:
      return "checkpoint";
    case JobKind::kVerify:
      return "verify";
    case JobKind::kRestore:
      return "restore";
    case JobKind::kImport:
      return "import";
    case JobKind::kExport:
      return "export";
    case JobKind::kDiff:
      break;
  }
  return "diff";
}

absl::string_view JobStateName(JobState state) {
  switch (state) {
    case JobState::kQueued:
      return "queued";
    case JobState::kRunning:
      return "running";
    case JobState::kSucceeded:
      return "succeeded";
    case JobState::kFailed:
      return "failed";
    case JobState::kCancelled:
      break;
  }
  return "cancelled";
}

Job::Job(Job&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)),
      id_(other.id_),
      progress_(std::move(other.progress_)) {}

Job::~Job() {
  if (registry_ != nullptr) {
    registry_->End(id_, base::MakeError(absl::StatusCode::kInternal, base::Reason::kInternal,
                                        "the job was abandoned"));
  }
}

void Job::Start() { registry_->Start(id_); }

void Job::SetSubject(absl::string_view subject) { registry_->SetSubject(id_, subject); }

void Job::End(const absl::StatusOr<std::string>& result) && {
  std::exchange(registry_, nullptr)->End(id_, result);
}

void Job::Forget() && { std::exchange(registry_, nullptr)->Forget(id_); }

absl::StatusOr<Job> JobRegistry::Begin(JobKind kind, absl::string_view subject) {
  auto progress = std::make_shared<Progress>();
  const absl::MutexLock lock(&mutex_);
  if (open_ >= options_.max_open) {
    return base::MakeError(absl::StatusCode::kResourceExhausted, base::Reason::kQueueFull,
                           absl::StrCat(options_.max_open, " jobs are running or waiting already"));
  }
  ++open_;
  const JobId id = ++last_id_;
  Record& record = records_[id];
  record.info = {.id = id,
                 .kind = kind,
                 .subject = std::string(subject),
                 .create_time = clock_.Now(),
                 .version = 1};
  record.progress = progress;
  return Job(*this, id, std::move(progress));
}

void JobRegistry::Start(JobId id) {
  const absl::MutexLock lock(&mutex_);
  Record& record = records_.at(id);
  record.info.state = JobState::kRunning;
  record.info.start_time = clock_.Now();
  record.start_nanos = clock_.MonotonicNanos();
  ++record.info.version;
}

void JobRegistry::SetSubject(JobId id, absl::string_view subject) {
  const absl::MutexLock lock(&mutex_);
  Record& record = records_.at(id);
  record.info.subject = std::string(subject);
  ++record.info.version;
}

void JobRegistry::End(JobId id, const absl::StatusOr<std::string>& result) {
  const absl::MutexLock lock(&mutex_);
  Record& record = records_.at(id);
  record.info.state = EndStateOf(result.status());
  record.info.error = result.status();
  record.info.result = result.ok() ? *result : "";
  record.info.end_time = clock_.Now();
  record.end_nanos = clock_.MonotonicNanos();
  ++record.info.version;
  --open_;
  DropOldEnded();
}

void JobRegistry::Forget(JobId id) {
  const absl::MutexLock lock(&mutex_);
  records_.erase(id);
  --open_;
}

void JobRegistry::DropOldEnded() {
  for (auto it = records_.begin(); records_.size() - open_ > options_.max_ended;) {
    it = HasEnded(it->second.info.state) ? records_.erase(it) : std::next(it);
  }
}

JobInfo JobRegistry::Snapshot(const Record& record) const {
  JobInfo info = record.info;
  info.phase = record.progress->phase;
  info.entries = record.progress->entries;
  info.total_entries = record.progress->total_entries;
  info.bytes = record.progress->bytes;
  if (info.state == JobState::kQueued || info.start_time == 0) return info;
  const int64_t until = HasEnded(info.state) ? record.end_nanos : clock_.MonotonicNanos();
  const double seconds = static_cast<double>(until - record.start_nanos) / kNanosPerSecond;
  if (seconds > 0) {
    info.entries_per_second = static_cast<double>(info.entries) / seconds;
    info.bytes_per_second = static_cast<double>(info.bytes) / seconds;
  }
  if (info.state == JobState::kRunning) info.time_left = TimeLeft(info);
  return info;
}

absl::StatusOr<JobInfo> JobRegistry::Find(JobId id) const {
  const auto found = records_.find(id);
  if (found == records_.end()) return NoSuchJob(id);
  return Snapshot(found->second);
}

absl::StatusOr<JobInfo> JobRegistry::Get(JobId id) const {
  const absl::MutexLock lock(&mutex_);
  return Find(id);
}

std::vector<JobInfo> JobRegistry::List() const {
  std::vector<JobInfo> infos;
  const absl::MutexLock lock(&mutex_);
  for (const auto& [id, record] : records_) infos.push_back(Snapshot(record));
  return infos;
}

absl::Status JobRegistry::Cancel(JobId id) {
  const absl::MutexLock lock(&mutex_);
  const auto found = records_.find(id);
  if (found == records_.end()) return NoSuchJob(id);
  found->second.progress->cancel = true;
  return absl::OkStatus();
}

absl::StatusOr<JobInfo> JobRegistry::Wait(JobId id, uint64_t seen, absl::Duration timeout) const {
  const auto changed = [this, id, seen] {
    mutex_.AssertReaderHeld();
    const auto found = records_.find(id);
    return found == records_.end() || found->second.info.version > seen;
  };
  const absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&changed), timeout);
  return Find(id);
}

absl::StatusOr<JobInfo> JobRegistry::WaitForEnd(JobId id, absl::Duration timeout) const {
  const auto ended = [this, id] {
    mutex_.AssertReaderHeld();
    const auto found = records_.find(id);
    return found == records_.end() || HasEnded(found->second.info.state);
  };
  const absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&ended), timeout);
  return Find(id);
}

}  // namespace tarn::checkpoint
