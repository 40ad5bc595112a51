#include "server/checkpoints/restore_counts.h"

#include "storage/base/logging.h"

namespace tarn::server {

// Every few seconds: not for the log of every day.
void RestoreCounts::OnCreated(const checkpoint::CreateReport& report) {
  base::LogDebug("checkpoint ", ToString(report.info.id), ", revision ",
                 report.info.header.revision, ", ", report.info.header.entries, " entries, ",
                 report.info.file_bytes, " bytes, in ", absl::FormatDuration(report.duration));
}

void RestoreCounts::OnQuarantined(const checkpoint::CheckpointId& /*id*/) { ++quarantined_; }

void RestoreCounts::Restored(absl::Duration duration) {
  ++restores_;
  last_nanos_ = absl::ToInt64Nanoseconds(duration);
}

RestoreTotals RestoreCounts::Read() const {
  return {.restores = restores_,
          .failures = failures_,
          .quarantined = quarantined_,
          .last_duration = absl::Nanoseconds(last_nanos_.load())};
}

}  // namespace tarn::server
