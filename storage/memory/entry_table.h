// Finds entries by key.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "storage/memory/entry.h"

namespace tarn::storage::memory {

// A hash table whose every step is short, so that no lock is held long: it grows by splitting one
// segment of some hundred entries at a time (Fagin and others, "Extendible hashing", 1979). A
// lookup costs one cache miss for the bucket and one for the entry.
//
// Holds pointers. Not thread-safe; the const functions may run side by side.
class EntryTable {
 public:
  EntryTable() = default;
  EntryTable(const EntryTable&) = delete;
  EntryTable& operator=(const EntryTable&) = delete;

  size_t size() const { return size_; }

  // Null when there is none.
  Entry* Find(const Probe& probe) const {
    return FindIf(probe.hash, [&probe](const Entry& entry) { return entry.IsOf(probe); });
  }
  // What Find probably, not certainly, finds; touches no entry.
  Entry* Guess(size_t hash) const {
    return FindIf(hash, [](const Entry&) { return true; });
  }
  void PrefetchBucket(size_t hash) const {
    if (!directory_.empty()) PrefetchLine(&BucketOf(hash));
  }

  // There is no entry of its key yet.
  void Insert(Entry* entry, size_t hash);
  // Of the same key.
  void Replace(const Entry* current, Entry* replacement, size_t hash);
  void Erase(const Entry* entry, size_t hash);

  template <typename Visitor>
  void ForEach(Visitor visit) const;

 private:
  // An entry's address with 16 bits of its hash in the bits that addresses do not use, so that a
  // lookup rarely touches an entry that is not the one it wants.
  using Slot = uint64_t;
  static constexpr int kAddressBits = 48;
  static constexpr Slot kEmpty = 0;
  static constexpr Slot kErased = 1;
  static constexpr size_t kSlots = 8;

  struct alignas(64) Bucket {
    std::array<Slot, kSlots> slots{};

    // Bit i: slot i has the hash's tag. Without a branch for each slot: where the one that is
    // wanted lies, no processor can predict.
    uint32_t Tagged(size_t hash) const {
      const Slot tag = hash << kAddressBits;
      uint32_t tagged = 0;
      for (size_t i = 0; i < kSlots; ++i)
        tagged |= uint32_t{((slots[i] ^ tag) >> kAddressBits) == 0} << i;
      return tagged;
    }
    bool IsFull() const { return std::find(slots.begin(), slots.end(), kEmpty) == slots.end(); }
  };

  static constexpr size_t kBuckets = 63;  // With its counts, a segment fills a page.
  static constexpr size_t kMaxUsed = kBuckets * kSlots * 13 / 16;

  struct alignas(64) Segment {
    uint32_t used = 0;  // Slots that are not empty.
    uint32_t live = 0;
    int depth = 0;  // How many bits of the hash all its entries have in common.
    std::array<Bucket, kBuckets> buckets;
  };
  static_assert(sizeof(Segment) == 4096);

  // The bits of a hash, from the top: 6 for the shard, then the segment's; from the bottom: the
  // tag's, then the bucket's.
  static constexpr int kShardBits = 6;
  static constexpr int kTagBits = 64 - kAddressBits;

  static Slot SlotOf(const Entry* entry, size_t hash) {
    return reinterpret_cast<Slot>(entry) | (hash << kAddressBits);
  }
  static Entry* EntryOf(Slot slot) {
    return reinterpret_cast<Entry*>(slot & ((Slot{1} << kAddressBits) - 1));
  }
  static bool HoldsEntry(Slot slot) { return slot > kErased; }
  static size_t FirstBucket(size_t hash) {
    return static_cast<size_t>((uint64_t{static_cast<uint32_t>(hash >> kTagBits)} * kBuckets) >>
                               32);
  }
  static size_t Next(size_t bucket) { return bucket + 1 == kBuckets ? 0 : bucket + 1; }

  size_t SegmentIndex(size_t hash) const {
    // Two shifts, because one by 64 is not defined.
    return (hash << kShardBits) >> 1 >> (63 - depth_);
  }
  Segment& SegmentOf(size_t hash) const { return *directory_[SegmentIndex(hash)]; }
  const Bucket& BucketOf(size_t hash) const { return SegmentOf(hash).buckets[FirstBucket(hash)]; }

  template <typename Match>
  Entry* FindIf(size_t hash, Match match) const;
  Slot& SlotHolding(const Entry* entry, size_t hash);
  static void Put(Segment& segment, Slot slot, size_t hash);
  void MakeRoom(size_t hash);
  void Split(size_t hash);
  void MoveInto(const Segment& from);
  void DoubleDirectory();
  Segment* NewSegment(int depth);

  size_t size_ = 0;
  int depth_ = 0;  // Of the directory, which has 2^depth places.
  std::vector<Segment*> directory_;
  std::vector<std::unique_ptr<Segment>> segments_;
};

template <typename Match>
Entry* EntryTable::FindIf(size_t hash, Match match) const {
  if (directory_.empty()) return nullptr;
  const Segment& segment = SegmentOf(hash);
  for (size_t index = FirstBucket(hash);; index = Next(index)) {
    const Bucket& bucket = segment.buckets[index];
    for (uint32_t left = bucket.Tagged(hash); left != 0; left &= left - 1) {
      const Slot slot = bucket.slots[static_cast<size_t>(std::countr_zero(left))];
      // An empty or erased slot has no other bits beside a tag of 0.
      if (HoldsEntry(slot) && match(*EntryOf(slot))) return EntryOf(slot);
    }
    if (!bucket.IsFull()) return nullptr;
  }
}

template <typename Visitor>
void EntryTable::ForEach(Visitor visit) const {
  for (const auto& segment : segments_) {
    for (const Bucket& bucket : segment->buckets) {
      for (const Slot slot : bucket.slots) {
        if (HoldsEntry(slot)) visit(EntryOf(slot));
      }
    }
  }
}

}  // namespace tarn::storage::memory
