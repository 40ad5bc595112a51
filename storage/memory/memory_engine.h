// The engine with the lowest latency: everything in memory, answered on the caller's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "storage/base/clock.h"
#include "storage/engine.h"
#include "storage/limits.h"
#include "storage/memory/batch_run.h"
#include "storage/memory/snapshot_registry.h"
#include "storage/memory/table.h"

namespace tarn::storage {

struct MemoryEngineOptions {
  Limits limits;
  // Of keys, values and their indexes, by estimate; at it, growth is RESOURCE_EXHAUSTED
  // (MEMORY_LIMIT). 0: none.
  uint64_t memory_limit_bytes = 0;
  // What snapshots may keep beside that; beyond it the oldest scan's ends. 0: a quarter of the
  // memory limit, if there is one.
  uint64_t snapshot_limit_bytes = 0;
  size_t max_snapshots = 256;
  memory::LockMonitor* lock_monitor = nullptr;  // Outlives the engine. For measurements.
};

// Thread-safe. Entries are divided by hash into shards, each with its lock, a hash set to find by
// and an ordered set to walk by; a batch locks the shards of its keys in ascending order, takes its
// revision, and applies. An overwritten entry that an open snapshot may ask for leaves an image
// behind. Every completion is called before Run returns.
class MemoryEngine final : public Engine {
 public:
  // INVALID_ARGUMENT when a limit is above what the layout of entries can hold. The clock and the
  // ledger outlive the engine.
  static absl::StatusOr<std::unique_ptr<MemoryEngine>> Open(const MemoryEngineOptions& options,
                                                            const base::Clock& clock,
                                                            UsageLedger& ledger);
  ~MemoryEngine() override;

  void Run(const Batch& batch, Completion done) override;
  absl::StatusOr<std::unique_ptr<Snapshot>> OpenSnapshot(SnapshotPurpose purpose) override;
  absl::StatusOr<std::unique_ptr<BulkLoad>> BeginBulkLoad() override;
  absl::StatusOr<SweepResult> SweepExpired(size_t max_entries) override;
  EngineStats Stats() const override;
  absl::StatusOr<std::optional<StoreMeta>> ReadMeta() override;
  absl::Status WriteMeta(const StoreMeta& meta) override;
  bool completes_inline() const override { return true; }
  bool starts_empty() const override { return true; }
  absl::string_view name() const override { return "memory"; }
  absl::string_view durability() const override {
    return "An acknowledged write is in memory: only a checkpoint keeps it when the process ends.";
  }

 private:
  friend class MemoryBulkLoad;

  static constexpr size_t kCacheLineBytes = 64;

  MemoryEngine(const MemoryEngineOptions& options, const base::Clock& clock, UsageLedger& ledger);

  void StartIncarnation(const StoreMeta& meta);
  void Collect(size_t shard, size_t max_images);
  void EnforceSnapshotLimit();

  const MemoryEngineOptions options_;
  const base::Clock& clock_;
  UsageLedger& ledger_;
  // What every write changes, what it only reads, and what some change: in cache lines of their
  // own, so that writers do not take from each other more than they must.
  alignas(kCacheLineBytes) RevisionSource revisions_{0};
  alignas(kCacheLineBytes) memory::SnapshotRegistry snapshots_;
  std::unique_ptr<memory::Table> table_;  // Replaced only by Publish, while nothing is under way.
  alignas(kCacheLineBytes) memory::MemoryGauge gauge_;

  mutable absl::Mutex meta_mutex_;
  std::optional<StoreMeta> meta_ ABSL_GUARDED_BY(meta_mutex_);
  std::atomic<size_t> next_swept_shard_{0};
};

}  // namespace tarn::storage
