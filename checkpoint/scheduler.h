// Decides when checkpoints are made.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "checkpoint/checkpointer.h"
#include "checkpoint/jobs.h"
#include "checkpoint/pacing.h"
#include "checkpoint/waiter.h"
#include "storage/base/clock.h"

namespace tarn::checkpoint {

enum class FinalCheckpoint { kMake, kSkip };

// Has checkpoints made on a thread of its own: at every tick (see Pacing), on demand, and a last
// one when it is stopped. Never two at a time. Thread-safe.
//
// What is requested while one is being made needs one that begins later: it waits for the next, and
// all who wait share that one. A request does not wait for a pause to be over.
class Scheduler {
 public:
  struct Dependencies {
    CheckpointMaker& maker;
    JobRegistry& jobs;
    const base::Clock& clock;
    Waiter& waiter;
  };

  // While one exists, no checkpoint is made, and what is requested waits. For a restore's switch.
  class Hold {
   public:
    Hold(Hold&& other) noexcept : scheduler_(std::exchange(other.scheduler_, nullptr)) {}
    Hold& operator=(Hold&&) = delete;
    ~Hold();

   private:
    friend class Scheduler;
    explicit Hold(Scheduler& scheduler) : scheduler_(&scheduler) {}

    Scheduler* scheduler_;
  };

  // Starts the thread; the first tick comes an interval later.
  Scheduler(const Dependencies& dependencies, const PacingOptions& options);

  // As Stop(kSkip).
  ~Scheduler();

  // Asks for one as soon as can be, and says which job it is; the job's result is the checkpoint's
  // id. One that differs from a waiting request in nothing but confirming joins it, and is then
  // confirmed only if both may be. INVALID_ARGUMENT for a bad reason of a pin, RESOURCE_EXHAUSTED
  // (QUEUE_FULL), UNAVAILABLE (DRAINING) once it is being stopped.
  absl::StatusOr<JobId> Request(const CreateRequest& request);

  // Waits for the one that is being made.
  Hold Suspend();

  // Ticks count from now on.
  void SetPacing(const PacingOptions& options);

  // Lets the one that is being made end, makes a final one if that is wanted, which stands for what
  // was requested meanwhile too, and ends the thread. Returns the final one's error. Called again,
  // it does nothing.
  absl::Status Stop(FinalCheckpoint final_checkpoint);

  // For whoever cannot wait for Stop any longer, from another thread: cancels the one that is being
  // made, and every one after it, the final one too.
  void Interrupt();

 private:
  // A request, or a tick: a tick's job is of interest only when it fails.
  struct Turn {
    enum class Cause { kTick, kRequest, kStop };
    Cause cause = Cause::kTick;
    CreateRequest request;
    std::optional<Job> job;
  };

  void Work();
  std::optional<Turn> NextTurn();
  Turn TakeRequest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Run(Turn turn);
  absl::StatusOr<CreateReport> Make(const CreateRequest& request, Progress& progress);
  void RunFinal();
  bool HasNews() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool MayGoOn() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return holds_ == 0 || stopping_; }
  bool MayMakeFinal() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return holds_ == 0 || interrupted_;
  }
  bool IsIdle() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !busy_; }

  const Dependencies dependencies_;

  absl::Mutex mutex_;
  Pacing pacing_ ABSL_GUARDED_BY(mutex_);
  bool repaced_ ABSL_GUARDED_BY(mutex_) = false;  // The thread has not seen that yet.
  std::deque<Turn> requested_ ABSL_GUARDED_BY(mutex_);
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  Progress* current_ ABSL_GUARDED_BY(mutex_) = nullptr;  // Of the one that is being made.
  int holds_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
  FinalCheckpoint final_ ABSL_GUARDED_BY(mutex_) = FinalCheckpoint::kSkip;

  absl::Status final_status_;  // Written by the thread, read once it has ended.
  std::thread thread_;
};

}  // namespace tarn::checkpoint
