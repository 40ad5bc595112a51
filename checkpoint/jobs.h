// Long-running work, for whoever wants to see it, wait for it or end it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "checkpoint/progress.h"
#include "storage/base/clock.h"

namespace tarn::checkpoint {

// Counts from 1 in each process.
using JobId = uint64_t;

enum class JobKind { kCheckpoint, kVerify, kRestore, kImport, kExport, kDiff };
absl::string_view JobKindName(JobKind kind);  // "checkpoint", "verify".

enum class JobState { kQueued, kRunning, kSucceeded, kFailed, kCancelled };
absl::string_view JobStateName(JobState state);

constexpr bool HasEnded(JobState state) { return state >= JobState::kSucceeded; }

// A job at one moment.
struct JobInfo {
  JobId id = 0;
  JobKind kind = JobKind::kCheckpoint;
  std::string subject;  // What it works on: a checkpoint's id, a namespace; for people.
  JobState state = JobState::kQueued;
  std::string phase;
  uint64_t entries = 0;
  uint64_t total_entries = 0;  // 0: not known.
  uint64_t bytes = 0;
  double entries_per_second = 0;  // Since it started; in the end, over all of it.
  double bytes_per_second = 0;
  std::optional<absl::Duration> time_left;  // While it runs, as far as that can be told.
  std::string result;                       // Of one that succeeded: such as the checkpoint's id.
  absl::Status error;
  base::UnixMs create_time = 0;
  base::UnixMs start_time = 0;  // 0: not yet.
  base::UnixMs end_time = 0;    // 0: not yet.
  uint64_t version = 0;         // Raised when its state changes; see JobRegistry::Wait.
};

class JobRegistry;

// What whoever does the work holds of it. One that is destroyed before its end has failed.
class Job {
 public:
  Job(Job&& other) noexcept;
  Job& operator=(Job&&) = delete;
  ~Job();

  JobId id() const { return id_; }
  Progress& progress() const { return *progress_; }
  void Start();

  // What it works on turned out to be more than was known when it began.
  void SetSubject(absl::string_view subject);

  // Succeeded with `result`, was cancelled (CANCELLED), or failed.
  void End(const absl::StatusOr<std::string>& result) &&;

  // As if it had never been: for routine that is of no interest when all is well.
  void Forget() &&;

 private:
  friend class JobRegistry;
  Job(JobRegistry& registry, JobId id, std::shared_ptr<Progress> progress)
      : registry_(&registry), id_(id), progress_(std::move(progress)) {}

  JobRegistry* registry_;
  JobId id_;
  std::shared_ptr<Progress> progress_;
};

// Thread-safe. Outlives its jobs.
class JobRegistry {
 public:
  struct Options {
    size_t max_ended = 100;  // The oldest are forgotten first.
    size_t max_open = 64;    // Queued and running.
  };

  JobRegistry(const Options& options, const base::Clock& clock)
      : options_(options), clock_(clock) {}

  // RESOURCE_EXHAUSTED (QUEUE_FULL) at the limit.
  absl::StatusOr<Job> Begin(JobKind kind, absl::string_view subject);

  // NOT_FOUND.
  absl::StatusOr<JobInfo> Get(JobId id) const;
  // In the order in which they were begun.
  std::vector<JobInfo> List() const;

  // Has it end soon. OK also when it has ended; NOT_FOUND.
  absl::Status Cancel(JobId id);

  // Returns when the job's version is above `seen`, or `timeout` is over; for watching, call it
  // again with the version it gave. How far the work has come is not a change: it is read each
  // time. NOT_FOUND, also when it is forgotten meanwhile.
  absl::StatusOr<JobInfo> Wait(JobId id, uint64_t seen, absl::Duration timeout) const;

  // Returns when it has ended, or `timeout` is over.
  absl::StatusOr<JobInfo> WaitForEnd(JobId id, absl::Duration timeout) const;

 private:
  friend class Job;

  struct Record {
    JobInfo info;
    std::shared_ptr<Progress> progress;
    int64_t start_nanos = 0;
    int64_t end_nanos = 0;
  };

  void Start(JobId id);
  void SetSubject(JobId id, absl::string_view subject);
  void End(JobId id, const absl::StatusOr<std::string>& result);
  void Forget(JobId id);
  void DropOldEnded() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  JobInfo Snapshot(const Record& record) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<JobInfo> Find(JobId id) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const base::Clock& clock_;

  mutable absl::Mutex mutex_;
  JobId last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t open_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<JobId, Record> records_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::checkpoint
