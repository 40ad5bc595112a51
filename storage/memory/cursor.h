// Walks a range of the memory engine's shards in key order, as of a snapshot.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/memory/batch_run.h"
#include "storage/memory/merge_tree.h"
#include "storage/memory/snapshot_registry.h"
#include "storage/memory/table.h"
#include "storage/snapshot.h"

namespace tarn::storage::memory {

// What cursors read, and where they say what they have passed. All of it belongs to the engine.
struct CursorContext {
  Table& table;
  SnapshotRegistry& snapshots;
  MemoryGauge& gauge;
};

// Copies a stretch of each shard under its lock, and merges the copies without any. See Cursor for
// threads and lifetime.
class MemoryCursor final : public Cursor {
 public:
  // The snapshot outlives it.
  MemoryCursor(const CursorContext& context, const OpenedSnapshot& snapshot, const KeyRange& range,
               const ScanOptions& options);

  void Next(const PageBudget& budget, base::UnixMs now, PageCompletion done) override;

 private:
  // What was copied of one shard and not given out yet.
  struct Stretch {
    std::vector<EntryView> entries;
    std::vector<uint64_t> prefixes;
    std::unique_ptr<char[]> bytes;  // What the entries view.
    size_t next = 0;
    size_t length = 0;         // How many slots to visit at the next refill.
    std::string last_visited;  // Where the next refill goes on.
    std::string passed_to;     // The consumer's cursor alone: what comes before it is behind us.
    bool started = false;
    bool exhausted = false;  // Nothing of the shard is left beyond `entries`.

    bool empty() const { return next == entries.size(); }
  };
  using Buffers = std::vector<std::unique_ptr<char[]>>;

  // What decides most comparisons, side by side for all shards: the prefix of the next entry,
  // turned round when descending, so that smaller is always first. Nothing left is last.
  struct Head {
    uint64_t rank = 0;
    bool empty = true;
  };

  struct Before {
    const MemoryCursor* cursor;
    bool operator()(size_t left, size_t right) const {
      const Head& a = cursor->heads_[left];
      const Head& b = cursor->heads_[right];
      if (a.empty || b.empty) return !a.empty;
      return a.rank != b.rank ? a.rank < b.rank : cursor->KeyComesBefore(left, right);
    }
  };

  void Start(const PageBudget& budget, base::UnixMs now);
  void Fill(const PageBudget& budget, base::UnixMs now, Page* page, Buffers* spent);
  void Refill(size_t index, base::UnixMs now);
  void Visit(const Shard& shard, Stretch* stretch) ABSL_SHARED_LOCKS_REQUIRED(shard.mutex);
  Order::const_iterator FirstAscending(const Shard& shard, const Stretch& stretch) const;
  Order::const_iterator FirstDescending(const Shard& shard, const Stretch& stretch) const;
  size_t Copy(const Shard& shard, base::UnixMs now, Stretch* stretch)
      ABSL_SHARED_LOCKS_REQUIRED(shard.mutex);
  void Forget(Shard& shard, size_t copied, Stretch* stretch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  bool InRange(const Entry& entry) const;
  void SetHead(size_t index);
  bool KeyComesBefore(size_t left, size_t right) const;

  const CursorContext context_;
  const OpenedSnapshot& snapshot_;
  const KeyRange range_;
  const ScanOptions options_;
  const bool consumes_;  // Whether images behind it can be dropped.
  bool started_ = false;
  std::array<Stretch, kShards> stretches_;
  std::array<Head, kShards> heads_;
  std::vector<Entry*> visited_;  // Of the refill under way.
  MergeTree<kShards, Before> merge_;
};

}  // namespace tarn::storage::memory
