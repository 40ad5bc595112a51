// What /metrics says of checkpoints, restores and jobs.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "checkpoint/checkpointer.h"
#include "checkpoint/jobs.h"

namespace tarn::server {

struct CheckpointFigures {
  checkpoint::CheckpointerStatus status;
  absl::Duration interval;  // Zero: none are made by themselves.
  // Since the newest valid one was known to hold the current state; without one, since the start.
  absl::Duration age;
  uint64_t files = 0;  // In the catalog, whatever their health.
  uint64_t file_bytes = 0;
  uint64_t quarantined = 0;
  uint64_t restores = 0;
  uint64_t restore_failures = 0;
  absl::Duration last_restore;
  std::vector<checkpoint::JobInfo> jobs;  // Those that have ended included.
};

class Families;
void AddCheckpoints(const CheckpointFigures& figures, Families* families);

}  // namespace tarn::server
