// Whether the server answers requests for checkpoints and jobs, and why not when it does not.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/rpc/checkpoint_control.h"
#include "server/rpc/gate.h"

namespace tarn::server {

// Opens once, when there is a control. It stays open while the gate for state is closed for a
// moment, as at a restore's switch: whoever waits for that wants to see it. Thread-safe.
class CheckpointDoor {
 public:
  explicit CheckpointDoor(const Gate& gate) : gate_(gate) {}

  // What serves requests now. UNAVAILABLE (NOT_READY, DRAINING), FAILED_PRECONDITION
  // (CHECKPOINTS_DISABLED).
  absl::StatusOr<CheckpointControl*> Enter() const;

  // Even while draining, for whoever only looks at jobs. Null when there is no catalog, and so no
  // job. UNAVAILABLE (NOT_READY).
  absl::StatusOr<CheckpointControl*> Look() const;

  // One of the two, once. The control outlives every call.
  void Open(CheckpointControl& control);
  void Disable();  // This server has no catalog.

 private:
  enum class State : uint8_t { kShut, kOpen, kDisabled };

  const Gate& gate_;
  std::atomic<CheckpointControl*> control_{nullptr};
  std::atomic<State> state_{State::kShut};
};

}  // namespace tarn::server
