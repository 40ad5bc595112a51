#include "server/rpc/checkpoint_door.h"

#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::server {

absl::StatusOr<CheckpointControl*> CheckpointDoor::Enter() const {
  if (gate_.state() == server::State::kDraining) return gate_.Refusal();
  TARN_ASSIGN_OR_RETURN(CheckpointControl* const control, Look());
  if (control != nullptr) return control;
  return base::MakeError(absl::StatusCode::kFailedPrecondition, base::Reason::kCheckpointsDisabled,
                         "the server was started without a directory of checkpoints");
}

absl::StatusOr<CheckpointControl*> CheckpointDoor::Look() const {
  if (state_.load(std::memory_order_acquire) == State::kShut) {
    return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kNotReady,
                           "the server is opening its checkpoints; nothing was done");
  }
  return control_.load(std::memory_order_acquire);
}

void CheckpointDoor::Open(CheckpointControl& control) {
  control_.store(&control, std::memory_order_release);
  state_.store(State::kOpen, std::memory_order_release);
}

void CheckpointDoor::Disable() { state_.store(State::kDisabled, std::memory_order_release); }

}  // namespace tarn::server
