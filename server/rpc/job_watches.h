// The calls of JobService.WatchJob under way.
#pragma once

#include <memory>
#include <set>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "checkpoint/jobs.h"
#include "server/rpc/call.h"
#include "storage/base/clock.h"
#include "tarn/v1/job.pb.h"

namespace tarn::server {

// What is asked to be watched.
struct JobWatch {
  checkpoint::JobId id = 0;
  absl::Duration interval;  // How long its stream may be silent.
};

// One thread for all of them, which looks at the jobs while there is somebody to tell, and sleeps
// while there is not. Thread-safe.
class JobWatches {
 public:
  struct Options {
    // How late a change of state may be told. A look costs a microsecond.
    absl::Duration period = absl::Milliseconds(20);
    size_t max_watches = 1024;
  };

  JobWatches(const Options& options, const base::Clock& clock);
  // After all calls have ended.
  ~JobWatches();

  // One call's handler; `jobs` outlives the call. The call fails with QUEUE_FULL at the limit.
  std::unique_ptr<StreamHandler> Watch(const checkpoint::JobRegistry& jobs, const JobWatch& watch,
                                       ResponseStream<tarn::v1::WatchJobResponse>& stream);

  // Sends what is due now.
  void LookAtAll();

 private:
  class Watched;
  class Handler;

  void Work();
  // False at the limit.
  bool Join(const std::shared_ptr<Watched>& watched);
  void Leave(const std::shared_ptr<Watched>& watched);
  bool IsNeeded() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !watched_.empty();
  }

  const Options options_;
  const base::Clock& clock_;

  absl::Mutex mutex_;
  std::set<std::shared_ptr<Watched>> watched_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // The last member: it uses all others.
};

}  // namespace tarn::server
