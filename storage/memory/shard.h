// One of the parts that the memory engine's entries are divided into by hash: its own lock, its own
// indexes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/types/span.h"
#include "storage/evaluate.h"
#include "storage/memory/entry.h"
#include "storage/memory/entry_pool.h"
#include "storage/memory/entry_table.h"
#include "storage/memory/key_sample.h"
#include "storage/memory/passed_ranges.h"
#include "storage/memory/shard_mutex.h"
#include "storage/memory/snapshot_registry.h"
#include "storage/usage.h"

namespace tarn::storage::memory {

// A place in the order of keys.
struct Ordered {
  explicit Ordered(Entry* e) : prefix(OrderPrefix(e->ns(), e->key())), entry(e) {}
  uint64_t prefix;
  // Of the key's entries the oldest that there is: an image, or else the current one.
  mutable Entry* entry;
};

struct OrderBound {
  OrderBound(NamespaceId n, absl::string_view k) : prefix(OrderPrefix(n, k)), ns(n), key(k) {}
  uint64_t prefix;
  NamespaceId ns;
  absl::string_view key;
};

struct OrderedLess {
  using is_transparent = void;
  bool operator()(const Ordered& left, const Ordered& right) const {
    return Less(left, right.prefix, right.entry->key());
  }
  bool operator()(const Ordered& left, const OrderBound& right) const {
    return Less(left, right.prefix, right.key);
  }
  bool operator()(const OrderBound& left, const Ordered& right) const {
    if (left.prefix != right.prefix) return left.prefix < right.prefix;
    return left.key < right.entry->key();
  }

 private:
  // Equal prefixes are of the same namespace.
  static bool Less(const Ordered& left, uint64_t prefix, absl::string_view key) {
    if (left.prefix != prefix) return left.prefix < prefix;
    return left.entry->key() < key;
  }
};

using Order = absl::btree_set<Ordered, OrderedLess>;

// What a change did to the counts.
struct ShardChange {
  Usage usage;
  int64_t memory_bytes = 0;  // Of entries that are part of the state.
  int64_t image_bytes = 0;   // Of images kept for snapshots.

  ShardChange& operator+=(const ShardChange& other) {
    usage += other.usage;
    memory_bytes += other.memory_bytes;
    image_bytes += other.image_bytes;
    return *this;
  }
};

// One of the entries that a bulk load brings.
struct LoadedEntry {
  const EntryView* view;
  Probe probe;
};

// An entry as it was at some revision. No entry: there was none.
struct Form {
  const Entry* entry = nullptr;
  Revision revision = 0;
};

// All members are guarded by `mutex`, which the caller holds: exclusively for what is not const.
//
// Images are the old forms of entries that open snapshots may still ask for. The hash table leads
// to the current entry of a key, the order to its oldest image, so that whoever keeps an image
// touches neither the order nor what it keeps: it puts a new entry beside it and notes one line.
class Shard {
 public:
  // A monitor, if there is one, and the source outlive the shard.
  Shard(PageSource& pages, LockMonitor* monitor) : pool_(pages) { mutex.SetMonitor(monitor); }
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;
  ~Shard();

  mutable ShardMutex mutex;

  // The entry or tombstone of the key; null when there is none.
  Entry* Find(const Probe& probe) const { return entries_.Find(probe); }

  // The three stages of finding many keys at once, each run for all before the next, so that their
  // cache misses overlap: PrefetchBucket, then PrefetchEntry, then Find; or, where nothing changes
  // in between, FindGuessed with what PrefetchEntry gave.
  void PrefetchBucket(const Probe& probe) const { entries_.PrefetchBucket(probe.hash); }
  Entry* PrefetchEntry(const Probe& probe) const {
    Entry* const entry = entries_.Guess(probe.hash);
    if (entry != nullptr) entry->Prefetch();
    return entry;
  }
  Entry* FindGuessed(const Probe& probe, Entry* guess) const {
    return guess == nullptr || guess->IsOf(probe) ? guess : Find(probe);
  }

  // What Write and Erase would change; nothing is changed yet.
  static Usage UsageAfterWrite(const Probe& probe, const Entry* current, const Effect& effect);
  static Usage UsageAfterErase(const Entry& current);

  // Stores the effect's value. `current` is what Find gave. `needs` is SnapshotRegistry::needs(),
  // asked after `revision` was taken.
  ShardChange Write(const Probe& probe, Entry* current, const Effect& effect, Revision revision,
                    const ImageNeeds& needs);
  ShardChange Erase(const Probe& probe, Entry* current, Revision revision, const ImageNeeds& needs);

  // Adds entries, fastest when they ascend; null when one of them is there already, and then some
  // of the others may have been added.
  std::optional<ShardChange> Load(absl::Span<const LoadedEntry> run);

  // Removes at most `max_entries` whose deadline is at or before `horizon`, passing each
  // namespace's change to `on_removed`.
  template <typename OnRemoved>
  size_t Sweep(base::UnixMs horizon, size_t max_entries, OnRemoved on_removed);

  // Drops at most `max_images` images that were replaced at or before `oldest`.
  ShardChange Collect(Revision oldest, size_t max_images);
  bool has_images() const { return !images_.empty(); }

  // The consumer will not ask for `range` again.
  void Pass(uint64_t consumer, KeyRange range) { passed_.Add(consumer, std::move(range)); }
  // Drops all images of the keys at these places of the order, some of which may be gone
  // afterwards.
  ShardChange DropImagesOf(absl::Span<const Ordered* const> places);

  // The form that a key had at `revision`, by what is in its place of the order. May be a
  // tombstone.
  Form VisibleAt(const Ordered& place, Revision revision) const;

  const Order& order() const { return order_; }

  // See Snapshot::SplitKeys; of this shard alone. Takes the lock itself.
  std::vector<std::string> SplitKeys(NamespaceId ns, size_t parts) const ABSL_LOCKS_EXCLUDED(mutex);
  size_t size() const { return entries_.size(); }

 private:
  struct Image {
    Entry* entry;  // Null: dropped.
    Revision revision;
    Revision replaced_at;
    Entry* next;  // The next image of the key; null when there is none.
  };

  // Images that were dropped before their time are passed over in no time; but not without end.
  static constexpr size_t kDroppedPerStep = 1024;
  static constexpr size_t kSampledPerLock = 1024;

  bool SampleKeys(NamespaceId ns, std::string* last, KeySample* sample) const
      ABSL_LOCKS_EXCLUDED(mutex);

  ShardChange Insert(const Probe& probe, const Effect& effect, Revision revision);
  bool MustKeep(const Entry& entry, const ImageNeeds& needs) const;
  ShardChange Keep(const Probe& probe, Entry* current, Entry* replacement, Revision revision);
  ShardChange Replace(const Probe& probe, Entry* current, Entry* replacement);
  void Remove(const Probe& probe, Entry* current);
  ShardChange RemoveExpired(Entry* expired);
  const Ordered& PlaceOf(const Probe& probe) const {
    return *order_.find(OrderBound(probe.ns, probe.key));
  }
  Image& ImageOf(const Entry& entry) { return images_[entry.place() - first_image_]; }
  const Image& ImageOf(const Entry& entry) const { return images_[entry.place() - first_image_]; }
  Entry* LastImage(Entry* image) const;
  ShardChange DropFirstImage();
  int64_t DropImages(Entry* first);
  ShardChange RemoveBareTombstone(Entry* current);
  void IndexDeadline(Entry* entry);
  void UnindexDeadline(Entry* entry);

  EntryPool pool_;
  EntryTable entries_;
  Order order_;
  absl::btree_set<std::pair<base::UnixMs, Entry*>> deadlines_;
  std::deque<Image> images_;  // Ascending in replaced_at.
  uint64_t first_image_ = 0;  // The place of the first one.
  PassedRanges passed_;
};

template <typename OnRemoved>
size_t Shard::Sweep(base::UnixMs horizon, size_t max_entries, OnRemoved on_removed) {
  size_t removed = 0;
  while (removed < max_entries && !deadlines_.empty() && deadlines_.begin()->first <= horizon) {
    Entry* const expired = deadlines_.begin()->second;
    const NamespaceId ns = expired->ns();
    on_removed(ns, RemoveExpired(expired));
    ++removed;
  }
  return removed;
}

}  // namespace tarn::storage::memory
