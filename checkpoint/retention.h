// Which checkpoints are kept, and why: pure functions of what there is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "checkpoint/catalog_directory.h"
#include "storage/base/clock.h"
#include "storage/revision.h"

namespace tarn::checkpoint {

struct RetentionPolicy {
  size_t newest = 10;      // At least 1.
  size_t hours = 24;       // The last one of each of so many hours of the clock...
  size_t days = 7;         // ...and of each of so many days.
  uint64_t max_bytes = 0;  // Of all files together; at it the oldest go first. 0: no limit.
  // All of earlier incarnations are kept: this run did not take its state from them, so they may be
  // all that is left of it. 0: none are.
  storage::Incarnation protect_before = 0;
};

// INVALID_ARGUMENT.
absl::Status CheckRetentionPolicy(const RetentionPolicy& policy);

enum class Fate { kKeep, kDelete };

struct RetentionVerdict {
  CheckpointId id;
  Fate fate = Fate::kKeep;
  std::string why;  // "newest, hourly", "pinned: before the migration", "over the byte limit".
};

// A verdict for each checkpoint, in their order, which is the catalog's. However the policy is, it
// keeps whatever is pinned, the newest intact one of this store, and what is not this store's to
// judge (of other stores, of newer formats, unreadable). Damaged ones are kept for somebody to look
// at, and are the first to go when bytes are short.
std::vector<RetentionVerdict> JudgeRetention(absl::Span<const CheckpointInfo> checkpoints,
                                             const RetentionPolicy& policy, base::UnixMs now);

}  // namespace tarn::checkpoint
