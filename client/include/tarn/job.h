// The server's long-running work: seeing it, waiting for it, ending it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tarn/connection.h"
#include "tarn/options.h"
#include "tarn/types.h"

namespace tarn {

enum class JobKind { kUnknown, kCheckpoint, kVerify, kRestore, kImport, kExport, kDiff };

enum class JobState {
  kUnknown,
  kQueued,
  kRunning,
  kSucceeded,
  kFailed,
  kCancelled,  // Because that was asked for, or because the server stopped.
};

// One piece of long-running work, as it was at one moment.
struct Job {
  uint64_t id = 0;  // Counts from 1 in each process of the server.
  JobKind kind = JobKind::kUnknown;
  std::string subject;  // What it works on, for people: a checkpoint's id, a namespace.
  JobState state = JobState::kUnknown;
  std::string phase;               // What it is doing now, for people; empty before it runs.
  uint64_t entry_count = 0;        // Entries done in this phase...
  uint64_t total_entry_count = 0;  // ...of so many; 0 = not known.
  uint64_t size_bytes = 0;         // Bytes of keys and values done in this phase.
  double entries_per_second = 0;   // Since it started; when it has ended, over all of it.
  double bytes_per_second = 0;
  std::optional<std::chrono::milliseconds> time_left;  // As far as it can be told.
  std::string result;  // Of one that succeeded, such as the id of the checkpoint that it created.
  absl::Status error;  // Of one that failed or was cancelled.
  Timestamp create_time;
  std::optional<Timestamp> start_time;  // None = it did not run yet.
  std::optional<Timestamp> end_time;    // None = it has not ended.

  bool ended() const {
    return state == JobState::kSucceeded || state == JobState::kFailed ||
           state == JobState::kCancelled;
  }
};

struct WatchJobParams {
  uint64_t id = 0;
  // How long to hear nothing while the job runs; unset = 1 s; at least 100 ms.
  std::optional<std::chrono::milliseconds> interval;
  Timeout timeout;  // Of the whole watch; unset = none.
};

// Where a watch's jobs come from. For those who derive a JobConnection; used by one thread at a
// time.
class JobWatchSource {
 public:
  virtual ~JobWatchSource() = default;
  // The job as it is then; nullopt when it has ended and was given out so. After an error or the
  // end it is not called again.
  virtual absl::StatusOr<std::optional<Job>> Next() = 0;
};

// A job as it goes on:
//
//   JobWatch watch = jobs.Watch({.id = job.id});
//   while (true) {
//     absl::StatusOr<std::optional<Job>> now = watch.Next();
//     if (!now.ok()) return now.status();
//     if (!now->has_value()) break;
//     Show(**now);
//   }
//
// When the connection breaks, the watch continues by itself. NOT_FOUND, JOB_NOT_FOUND when there is
// no such job, and when the server was restarted meanwhile: what it did then ended with it. Used by
// one thread at a time.
class JobWatch {
 public:
  explicit JobWatch(std::unique_ptr<JobWatchSource> source) : source_(std::move(source)) {}

  // The job as it is: at once, whenever its state changes, in each interval, and at last when it
  // has ended; then nullopt. Waits.
  absl::StatusOr<std::optional<Job>> Next();

 private:
  std::unique_ptr<JobWatchSource> source_;  // Null after the end.
};

// What JobClient stands on; derive from it for tests. Thread-safe. A method that is not overridden
// is UNIMPLEMENTED.
class JobConnection {
 public:
  virtual ~JobConnection() = default;
  virtual absl::StatusOr<Job> GetJob(uint64_t id, Timeout timeout);
  virtual absl::StatusOr<std::vector<Job>> ListJobs(Timeout timeout);
  virtual absl::StatusOr<Job> CancelJob(uint64_t id, Timeout timeout);
  // Never null. Errors come with the first job.
  virtual std::unique_ptr<JobWatchSource> WatchJob(WatchJobParams params);
};

absl::StatusOr<std::shared_ptr<JobConnection>> MakeJobConnection(const ClientOptions& options);

// Shows the server's long-running work, and ends it on demand. A handle, cheap to copy.
// Thread-safe.
class JobClient {
 public:
  // As Client::Connect.
  static absl::StatusOr<JobClient> Connect(const ClientOptions& options = {});

  explicit JobClient(std::shared_ptr<JobConnection> connection)
      : connection_(std::move(connection)) {}

  // A job. NOT_FOUND, JOB_NOT_FOUND. Idempotent.
  absl::StatusOr<Job> Get(uint64_t id, Timeout timeout = {}) const;

  // Those that are open and the last ones that have ended, in the order in which they were begun.
  // Idempotent.
  absl::StatusOr<std::vector<Job>> List(Timeout timeout = {}) const;

  // Follows a job until it has ended. Idempotent.
  JobWatch Watch(WatchJobParams params) const;

  // Waits until a job has ended, whatever became of it: see Job::state. `timeout` unset = as long
  // as it takes. Errors are those of watching. Idempotent.
  absl::StatusOr<Job> Wait(uint64_t id, Timeout timeout = {}) const;

  // Asks a job to end soon, leaving nothing half-done behind, and answers how it stands; OK also
  // when it has ended already. Only for loopback peers and for the certificate names on the
  // server's list (else PERMISSION_DENIED). Idempotent.
  absl::StatusOr<Job> Cancel(uint64_t id, Timeout timeout = {}) const;

 private:
  std::shared_ptr<JobConnection> connection_;
};

}  // namespace tarn
