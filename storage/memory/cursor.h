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
    void PrefetchNext() const;
    void TakeBytes();
  };
  using Buffers = std::vector<std::unique_ptr<char[]>>;

  // Asked where ranks are the same. A shard without entries comes last.
  struct Before {
    const MemoryCursor* cursor;
    bool operator()(size_t left, size_t right) const {
      if (cursor->stretches_[left].empty() || cursor->stretches_[right].empty())
        return !cursor->stretches_[left].empty();
      return cursor->KeyComesBefore(left, right);
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
  size_t Add(const Entry& entry, Revision revision, Stretch* stretch) const;
  void Forget(Shard& shard, size_t copied, Stretch* stretch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  bool InRange(const Entry& entry) const;
  uint64_t RankOf(const Stretch& stretch) const;
  bool KeyComesBefore(size_t left, size_t right) const;

  const CursorContext context_;
  const OpenedSnapshot& snapshot_;
  const KeyRange range_;
  const ScanOptions options_;
  const bool consumes_;  // Whether images behind it can be dropped.
  bool started_ = false;
  size_t page_entries_ = 0;  // Of the last page: the next one is probably as large.
  std::array<Stretch, kShards> stretches_;
  std::vector<const Ordered*> visited_;  // Of the refill under way.
  MergeTree<kShards, Before> merge_;
};

}  // namespace tarn::storage::memory
