// Builds a table beside the one in use.
#pragma once

#include <atomic>
#include <memory>

#include "absl/synchronization/mutex.h"
#include "storage/engine.h"
#include "storage/memory/batch_run.h"
#include "storage/memory/table.h"

namespace tarn::storage {

class MemoryEngine;

// See BulkLoad. Owned by whoever began it; the engine outlives it.
class MemoryBulkLoad final : public BulkLoad {
 public:
  explicit MemoryBulkLoad(MemoryEngine& engine);

  // INVALID_ARGUMENT when a key was added before or does not fit the layout; RESOURCE_EXHAUSTED
  // (MEMORY_LIMIT).
  absl::Status Add(absl::Span<const EntryView> entries) override;
  absl::Status Publish(const StoreMeta& meta) override;

 private:
  absl::Status CheckMemory(absl::Span<const EntryView> entries) const;
  absl::Status AddTo(memory::Shard& shard, absl::Span<const memory::LoadedEntry> run);
  void Count(absl::Span<const EntryView> entries);

  MemoryEngine& engine_;
  std::unique_ptr<memory::Table> table_;
  memory::MemoryGauge gauge_;
  UsageLedger usage_;
  std::atomic<size_t> next_first_{0};
};

}  // namespace tarn::storage
