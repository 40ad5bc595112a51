// What an operator may choose about the RocksDB engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "storage/limits.h"

namespace tarn::storage {

enum class Durability : uint8_t {
  kOs,    // An acknowledged write survives the end of the process, however it ends.
  kDisk,  // Also the end of the machine: the log is synced before each answer, once for a group.
};

struct RocksDbOptions {
  std::string path;  // Created when missing. Nothing else may live in it.
  Durability durability = Durability::kOs;

  // Block cache and write buffers together. Nothing is taken before it is used. The default caches
  // a million small entries; a larger one pays as long as what is read often does not fit.
  uint64_t memory_bytes = 512 << 20;

  // Below this much free space nothing may grow: what is left is for deletions and compactions.
  uint64_t min_free_disk_bytes = 256 << 20;

  Limits limits;

  // Batches waiting for their commit; beyond it they are refused (QUEUE_FULL). Some seconds of work
  // at full speed.
  size_t max_queued_batches = 16'384;
  size_t max_queued_bytes = 64 << 20;  // Of their keys and values. One batch always fits.

  // What is committed at once, at most. Larger groups share the cost of the log better, and keep
  // their first member waiting longer.
  size_t max_group_operations = 8'192;
  size_t max_group_bytes = 8 << 20;

  size_t max_snapshots = 256;
  // Of scans' snapshots: they keep deleted files on the disk.
  absl::Duration max_scan_snapshot_age = absl::Minutes(30);
  // What may be kept, by estimate, only because snapshots need it.
  uint64_t max_snapshot_bytes = uint64_t{4} << 30;
};

}  // namespace tarn::storage
