// What has become of restores, for metrics, and of checkpoints, for the log.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "checkpoint/observer.h"

namespace tarn::server {

struct RestoreTotals {
  uint64_t restores = 0;  // Of everything or of a range, at the start or on request.
  uint64_t failures = 0;  // Cancelled ones included.
  uint64_t quarantined = 0;
  absl::Duration last_duration;  // Of the last that succeeded.
};

// Thread-safe. A restore that tries several checkpoints is one: whoever runs it says how it ended.
class RestoreCounts final : public checkpoint::CheckpointObserver {
 public:
  void OnCreated(const checkpoint::CreateReport& report) override;
  void OnQuarantined(const checkpoint::CheckpointId& id) override;

  void Restored(absl::Duration duration);
  void Failed() { ++failures_; }

  RestoreTotals Read() const;

 private:
  std::atomic<uint64_t> restores_{0};
  std::atomic<uint64_t> failures_{0};
  std::atomic<uint64_t> quarantined_{0};
  std::atomic<int64_t> last_nanos_{0};
};

}  // namespace tarn::server
