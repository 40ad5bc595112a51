// The daemon's checkpoints while it serves: made on schedule, and whatever is asked for.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "checkpoint/catalog.h"
#include "checkpoint/checkpointer.h"
#include "checkpoint/jobs.h"
#include "checkpoint/range_restorer.h"
#include "checkpoint/restorer.h"
#include "checkpoint/scheduler.h"
#include "checkpoint/waiter.h"
#include "server/checkpoints/door_range_gate.h"
#include "server/checkpoints/full_restore.h"
#include "server/checkpoints/restore_counts.h"
#include "server/checkpoints/store_host.h"
#include "server/metrics/checkpoint_figures.h"
#include "server/rpc/checkpoint_control.h"
#include "storage/base/clock.h"
#include "storage/base/executor.h"
#include "storage/engine.h"
#include "storage/store_door.h"
#include "storage/store_identity.h"
#include "storage/usage.h"

namespace tarn::server {

// When checkpoints are made by themselves, and which are kept.
struct CheckpointSchedule {
  absl::Duration interval = absl::Seconds(10);  // Zero: none, and none when it stops.
  checkpoint::RetentionPolicy retention;        // But for what is protected.
};

struct CheckpointManagerOptions {
  CheckpointSchedule schedule;
  checkpoint::WriterOptions writer;
  // All of earlier incarnations are kept; see RetentionPolicy.
  storage::Incarnation protect_before = 0;
};

// Thread-safe. Serves from its construction, and until Stop is called.
class CheckpointManager final : public CheckpointControl {
 public:
  struct Dependencies {
    storage::StoreDoor& store;
    const storage::UsageLedger& ledger;  // The one the engine keeps.
    storage::DataDirectory& directory;
    checkpoint::Catalog& catalog;  // Bound.
    checkpoint::Restorer& restorer;
    checkpoint::RangeRestorer& range_restorer;
    StoreHost& host;
    const base::Clock& clock;
    RestoreCounts& counts;
  };

  CheckpointManager(const Dependencies& dependencies, const storage::StoreMeta& meta,
                    const CheckpointManagerOptions& options);
  ~CheckpointManager() override;

  checkpoint::JobRegistry& jobs() override { return jobs_; }
  checkpoint::Catalog& catalog() override { return dependencies_.catalog; }
  base::Executor& executor() override { return *executor_; }
  storage::Incarnation incarnation() const override {
    return dependencies_.store.Stats().incarnation;
  }

  std::vector<checkpoint::ListedCheckpoint> List() const override { return checkpointer_.List(); }
  absl::StatusOr<checkpoint::JobId> Create(const checkpoint::CreateRequest& request) override;
  absl::StatusOr<checkpoint::JobId> Verify(const checkpoint::CheckpointId& id) override;
  absl::StatusOr<checkpoint::JobId> Restore(const RestoreRequest& request) override;

  CheckpointFigures Figures() const;

  // What a restore that is under way is doing, for people; empty when none is.
  std::string RestorePhase() const;

  void SetSchedule(const CheckpointSchedule& schedule);

  // To be called every second or so.
  absl::Status KeepIncarnationReserved() { return full_restore_.KeepIncarnationReserved(); }

  // Ends what is under way, and makes a final checkpoint if any are made on schedule. When it
  // returns nothing runs any more. Returns the final one's error. Called again, it does nothing.
  absl::Status Stop();

  // For whoever cannot wait for Stop any longer, from another thread: it returns soon.
  void Interrupt() { scheduler_.Interrupt(); }

 private:
  using Work = std::function<absl::StatusOr<std::string>(checkpoint::Job& job)>;

  absl::StatusOr<checkpoint::JobId> Launch(checkpoint::JobKind kind, const std::string& subject,
                                           Work work);
  absl::Status CheckTarget(const RestoreRequest& request) const;
  absl::StatusOr<checkpoint::JobId> LaunchRestore(const std::string& subject, Work work);
  absl::StatusOr<std::string> RunRestore(const Work& work, checkpoint::Job& job);
  absl::StatusOr<std::string> RestoreRange(const RestoreRequest& request, checkpoint::Job& job);
  absl::StatusOr<checkpoint::CheckpointId> FindTarget(const RestoreRequest& request,
                                                      checkpoint::Job& job);
  void CancelJobs();

  const Dependencies dependencies_;
  checkpoint::JobRegistry jobs_;
  checkpoint::Checkpointer checkpointer_;
  checkpoint::ClockWaiter waiter_;
  checkpoint::Scheduler scheduler_;
  const base::UnixMs start_time_;
  std::atomic<int64_t> interval_nanos_;  // Zero: none, and none in the end.
  FullRestore full_restore_;
  DoorRangeGate range_gate_;
  std::atomic<bool> restoring_{false};

  absl::Mutex stopping_;
  // Jobs wait for disks, for each other and for callers: they do not share threads with the store,
  // for which some of them wait.
  std::unique_ptr<base::ThreadPool> executor_;
};

}  // namespace tarn::server
