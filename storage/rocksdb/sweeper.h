// Removes expired entries in the order of their deadlines.
#pragma once

#include <cstddef>

#include "absl/status/statusor.h"
#include "storage/base/clock.h"
#include "storage/engine.h"
#include "storage/rocksdb/live_database.h"
#include "storage/rocksdb/snapshots.h"
#include "storage/usage.h"

namespace tarn::storage::rocks {

// Used by the writer's thread only, between commits. RocksDB would keep for a snapshot what is
// swept meanwhile; that it stays is for all engines to mean the same, in what a namespace holds,
// too.
class Sweeper {
 public:
  Sweeper(const LiveDatabase& database, UsageLedger& ledger, SnapshotRegistry& snapshots)
      : database_(database), ledger_(ledger), snapshots_(snapshots) {}

  // There is a database, and it takes writes.
  absl::StatusOr<SweepResult> Sweep(base::UnixMs now, size_t max_entries);

  // A commit put an entry into the index.
  void NoteDeadline(base::UnixMs deadline);

  // Another database took the place of the one it knew.
  void Restart() { swept_to_ = 0; }

 private:
  const LiveDatabase& database_;
  UsageLedger& ledger_;
  SnapshotRegistry& snapshots_;
  // No deadline in the index is below it. Spares every sweep the walk over what earlier ones
  // removed.
  base::UnixMs swept_to_ = 0;
};

}  // namespace tarn::storage::rocks
