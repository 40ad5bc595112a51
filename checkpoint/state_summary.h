// What a snapshot shows, in a few numbers that can be compared with a checkpoint's header.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "checkpoint/progress.h"
#include "storage/base/checksum.h"
#include "storage/base/sha256.h"
#include "storage/snapshot.h"

namespace tarn::checkpoint {

struct StateSummary {
  uint64_t entries = 0;
  uint64_t data_bytes = 0;
  base::Hash128 content_digest;
  uint64_t system_entries = 0;
  base::Sha256Digest system_digest{};
};

// Reads everything that has not expired when the snapshot was opened, on `threads` threads, this
// one included. CANCELLED.
absl::StatusOr<StateSummary> SummarizeState(storage::Snapshot& snapshot, int threads,
                                            Progress& progress);

}  // namespace tarn::checkpoint
