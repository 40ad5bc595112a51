// Brings a checkpoint into the running daemon in place of the whole state.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "checkpoint/catalog.h"
#include "checkpoint/checkpointer.h"
#include "checkpoint/jobs.h"
#include "checkpoint/range_restorer.h"
#include "checkpoint/restorer.h"
#include "checkpoint/scheduler.h"
#include "server/checkpoints/safety.h"
#include "server/checkpoints/store_host.h"
#include "server/rpc/checkpoint_control.h"
#include "storage/store_door.h"
#include "storage/store_identity.h"

namespace tarn::server {

// One at a time; blocks.
//
// The checkpoint is loaded beside the running state. Then the door is closed, so that no write is
// acknowledged any more; the state as it is now is checkpointed and pinned; and the engine
// switches. So every acknowledged write is in the safety checkpoint, or in what is restored. Until
// the switch any error leaves the old state, which is then served again.
class FullRestore {
 public:
  struct Dependencies {
    storage::StoreDoor& door;
    storage::DataDirectory& directory;
    checkpoint::Catalog& catalog;
    checkpoint::Restorer& restorer;
    checkpoint::RangeRestorer& range_restorer;
    checkpoint::Checkpointer& checkpointer;
    checkpoint::Scheduler& scheduler;
    StoreHost& host;
  };

  explicit FullRestore(const Dependencies& dependencies) : dependencies_(dependencies) {}

  // The id of what was restored. Besides the errors of loading: CHECKPOINT_NOT_FOUND, DATA_LOSS.
  // An error after the switch says that nothing is served any more, unless the state before could
  // be brought back.
  absl::StatusOr<std::string> Run(const RestoreRequest& request, checkpoint::Job& job);

  // Proves that it could be done, and changes nothing.
  absl::StatusOr<std::string> Validate(const RestoreRequest& request, checkpoint::Job& job);

  // Whether nothing is served any more, because what the engine shows is nothing to be served, or
  // to be checkpointed. Not while a call is under way.
  bool shut_for_good() const { return shut_for_good_ != nullptr; }

  // What storage::KeepIncarnationReserved does, except during a switch.
  absl::Status KeepIncarnationReserved();

 private:
  // Whether the store serves again after an attempt to switch, and which state.
  enum class Served { kNew, kOld, kNothing };
  struct Switched {
    absl::Status status;
    Served served = Served::kOld;
  };

  absl::StatusOr<checkpoint::LoadedCheckpoint> Load(const RestoreRequest& request,
                                                    checkpoint::Job& job) const;
  absl::StatusOr<checkpoint::LoadedCheckpoint> LoadLatest(checkpoint::Job& job) const;
  absl::StatusOr<std::string> VerifyLatest(checkpoint::Job& job) const;
  Switched CloseAndSwitch(checkpoint::LoadedCheckpoint loaded, SafetyCheckpoint wish,
                          checkpoint::Progress& progress);
  Switched Switch(checkpoint::LoadedCheckpoint loaded, const std::optional<Safety>& safety,
                  checkpoint::Progress& progress);
  Switched Adopt(checkpoint::LoadedCheckpoint loaded, checkpoint::Progress& progress);
  Switched GoBack(const absl::Status& failure, const std::optional<Safety>& safety,
                  checkpoint::Progress& progress);
  absl::StatusOr<storage::StoreMeta> NextMeta(const checkpoint::LoadedCheckpoint& loaded) const;
  absl::Status Reopen(const storage::StoreMeta& meta);
  void ForgetRange();
  void MakeNewest(checkpoint::Progress& progress);

  const Dependencies dependencies_;
  absl::Mutex switching_;  // Whoever writes to the directory what incarnation there is.
  std::unique_ptr<storage::StoreDoor::Closure> shut_for_good_;
  std::unique_ptr<checkpoint::Scheduler::Hold> held_for_good_;
};

}  // namespace tarn::server
