// Who hears of what happens to checkpoints: metrics, which this layer does not know.
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "checkpoint/catalog_directory.h"

namespace tarn::checkpoint {

struct CreateReport {
  enum class Outcome { kCreated, kConfirmed };
  Outcome outcome = Outcome::kCreated;
  CheckpointInfo info;      // Of the one created, or of the one that still holds the current state.
  absl::Duration duration;  // From the request's turn to the answer.
  size_t deleted = 0;       // By retention, afterwards.
};

struct RestoreReport {
  CheckpointInfo info;
  absl::Duration duration;
};

// Called on the thread that does the work, without locks. Must not block. Thread-safe.
class CheckpointObserver {
 public:
  virtual ~CheckpointObserver() = default;
  virtual void OnCreated(const CreateReport& /*report*/) {}
  virtual void OnConfirmed(const CreateReport& /*report*/) {}
  virtual void OnCreateFailed(const absl::Status& /*status*/) {}  // CANCELLED too.
  virtual void OnRestored(const RestoreReport& /*report*/) {}
  virtual void OnRestoreFailed(const absl::Status& /*status*/) {}
  virtual void OnQuarantined(const CheckpointId& /*id*/) {}
};

}  // namespace tarn::checkpoint
