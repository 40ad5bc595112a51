// One of the parts that the memory engine's entries are divided into by hash: its own lock, its own
// indexes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "storage/evaluate.h"
#include "storage/memory/entry.h"
#include "storage/memory/key_sample.h"
#include "storage/memory/passed_ranges.h"
#include "storage/memory/shard_mutex.h"
#include "storage/memory/snapshot_registry.h"
#include "storage/usage.h"

namespace tarn::storage::memory {

// An entry's address with 16 bits of its hash in the bits that addresses do not use, so that a
// lookup rarely touches an entry that is not the one it wants.
class TaggedEntry {
 public:
  TaggedEntry(Entry* entry, size_t hash)
      : bits_(reinterpret_cast<uint64_t>(entry) | (uint64_t{TagOf(hash)} << kAddressBits)) {}

  Entry* entry() const {
    return reinterpret_cast<Entry*>(bits_ & ((uint64_t{1} << kAddressBits) - 1));
  }
  uint16_t tag() const { return static_cast<uint16_t>(bits_ >> kAddressBits); }
  // Bits that neither the choice of a shard nor the hash set's own lookup depends on.
  static uint16_t TagOf(size_t hash) { return static_cast<uint16_t>(hash >> 40); }

 private:
  static constexpr int kAddressBits = 48;
  uint64_t bits_;
};

// Finds by the tag alone: what it finds is probably, not certainly, the entry.
struct TagProbe {
  size_t hash = 0;
};

struct TaggedHash {
  using is_transparent = void;
  size_t operator()(TaggedEntry tagged) const {
    return absl::HashOf(tagged.entry()->ns(), tagged.entry()->key());
  }
  size_t operator()(const Probe& probe) const { return probe.hash; }
  size_t operator()(TagProbe probe) const { return probe.hash; }
};

struct TaggedEqual {
  using is_transparent = void;
  bool operator()(TaggedEntry left, TaggedEntry right) const {
    return left.entry() == right.entry();
  }
  bool operator()(TaggedEntry tagged, const Probe& probe) const {
    return tagged.tag() == TaggedEntry::TagOf(probe.hash) && tagged.entry()->key() == probe.key &&
           tagged.entry()->ns() == probe.ns;
  }
  bool operator()(TaggedEntry tagged, TagProbe probe) const {
    return tagged.tag() == TaggedEntry::TagOf(probe.hash);
  }
};

// A place in the order of keys.
struct Ordered {
  explicit Ordered(Entry* e) : prefix(OrderPrefix(e->ns(), e->key())), entry(e) {}
  uint64_t prefix;
  mutable Entry* entry;  // May be replaced by another of the same key.
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

// All members are guarded by `mutex`, which the caller holds: exclusively for what is not const.
// Images are the old forms of entries that open snapshots may still ask for.
class Shard {
 public:
  Shard() = default;
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;
  ~Shard();

  mutable ShardMutex mutex;

  // The entry or tombstone of the key; null when there is none.
  Entry* Find(const Probe& probe) const {
    const auto found = entries_.find(probe);
    return found == entries_.end() ? nullptr : found->entry();
  }

  // The three stages of finding many keys at once, each run for all before the next, so that their
  // cache misses overlap: PrefetchSlot, then PrefetchEntry, then Find.
  void PrefetchSlot(const Probe& probe) const { entries_.prefetch(probe); }
  void PrefetchEntry(const Probe& probe) const {
    const auto found = entries_.find(TagProbe{probe.hash});
    if (found != entries_.end()) found->entry()->Prefetch();
  }

  // What Write and Erase would change; nothing is changed yet.
  static Usage UsageAfterWrite(const Probe& probe, const Entry* current, const Effect& effect);
  static Usage UsageAfterErase(const Entry& current);

  // Stores the effect's value. `current` is what Find gave. `needs` is SnapshotRegistry::needs(),
  // asked after `revision` was taken.
  ShardChange Write(const Probe& probe, Entry* current, const Effect& effect, Revision revision,
                    const ImageNeeds& needs);
  ShardChange Erase(const Probe& probe, Entry* current, Revision revision, const ImageNeeds& needs);

  // Adds an entry and takes its ownership; null, and nothing is added, when its key is there
  // already. Fastest when keys ascend.
  std::optional<ShardChange> Load(Entry* entry);

  // Removes at most `max_entries` whose deadline is at or before `horizon`, passing each
  // namespace's change to `on_removed`.
  template <typename OnRemoved>
  size_t Sweep(base::UnixMs horizon, size_t max_entries, OnRemoved on_removed);

  // Drops at most `max_images` images that were replaced at or before `oldest`.
  ShardChange Collect(Revision oldest, size_t max_images);
  bool has_images() const { return !retired_.empty(); }

  // The consumer will not ask for `range` again.
  void Pass(uint64_t consumer, KeyRange range) { passed_.Add(consumer, std::move(range)); }
  // Drops all images of the key of `current`, which may be gone afterwards.
  ShardChange DropImagesOf(Entry* current);

  // The form the key of `entry` had at `revision`: null when there was none. May be a tombstone.
  const Entry* VisibleAt(const Entry& entry, Revision revision) const;

  const Order& order() const { return order_; }

  // See Snapshot::SplitKeys; of this shard alone. Takes the lock itself.
  std::vector<std::string> SplitKeys(NamespaceId ns, size_t parts) const ABSL_LOCKS_EXCLUDED(mutex);
  size_t size() const { return entries_.size(); }

 private:
  struct Retired {
    Entry* image;
    Revision replaced_at;
  };
  using RetiredList = std::list<Retired>;
  using Images = absl::InlinedVector<RetiredList::iterator, 1>;  // Ascending in revision.

  static constexpr size_t kSampledPerLock = 1024;

  bool SampleKeys(NamespaceId ns, std::string* last, KeySample* sample) const
      ABSL_LOCKS_EXCLUDED(mutex);

  ShardChange Insert(const Probe& probe, const Effect& effect, Revision revision);
  bool MustKeep(const Entry& entry, const ImageNeeds& needs) const;
  ShardChange Retire(Entry* current, Entry* image, Revision revision);
  void Replace(const Probe& probe, Entry* current, Entry* replacement);
  void Remove(const Probe& probe, Entry* current);
  ShardChange RemoveExpired(Entry* expired);
  ShardChange DropOldestImage();
  ShardChange RemoveBareTombstone(Entry* current);
  void IndexDeadline(Entry* entry);
  void UnindexDeadline(Entry* entry);

  absl::flat_hash_set<TaggedEntry, TaggedHash, TaggedEqual> entries_;
  Order order_;
  absl::btree_set<std::pair<base::UnixMs, Entry*>> deadlines_;
  absl::flat_hash_map<const Entry*, Images> images_;
  RetiredList retired_;  // Ascending in replaced_at.
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
