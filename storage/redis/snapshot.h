// Snapshots of the Redis engine, as everybody above it knows them.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/base/executor.h"
#include "storage/redis/core.h"
#include "storage/redis/ghosts.h"
#include "storage/redis/snapshots.h"
#include "storage/snapshot.h"

namespace tarn::storage::redis {

// What snapshots are made of. All of it outlives them.
struct SnapshotParts {
  Core& core;
  SnapshotRegistry& registry;
  Ghosts& ghosts;
  // Takes pages of checkpoints to threads that have time for them; null: the loop's does it.
  base::Executor* executor = nullptr;
};

// How long an opening waits for the writes that are under way.
inline constexpr absl::Duration kOpenPatience = absl::Seconds(30);

// Waits; on any thread but the loop's. UNAVAILABLE when that takes too long: a write of unknown
// outcome holds snapshots back.
absl::StatusOr<std::unique_ptr<Snapshot>> OpenSnapshot(const SnapshotParts& parts,
                                                       SnapshotPurpose purpose);

}  // namespace tarn::storage::redis
