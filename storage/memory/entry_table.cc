#include "storage/memory/entry_table.h"

#include <algorithm>
#include <utility>

namespace tarn::storage::memory {
namespace {

size_t HashOf(const Entry& entry) { return Probe(entry.ns(), entry.key()).hash; }

}  // namespace

void EntryTable::Insert(Entry* entry, size_t hash) {
  if (directory_.empty()) directory_.push_back(NewSegment(0));
  while (SegmentOf(hash).used >= kMaxUsed) MakeRoom(hash);
  Put(SegmentOf(hash), SlotOf(entry, hash), hash);
  ++size_;
}

void EntryTable::Replace(const Entry* current, Entry* replacement, size_t hash) {
  SlotHolding(current, hash) = SlotOf(replacement, hash);
}

void EntryTable::Erase(const Entry* entry, size_t hash) {
  Slot& slot = SlotHolding(entry, hash);
  Segment& segment = SegmentOf(hash);
  const size_t bucket = static_cast<size_t>(reinterpret_cast<char*>(&slot) -
                                            reinterpret_cast<char*>(segment.buckets.data())) /
                        sizeof(Bucket);
  const auto& slots = segment.buckets[bucket].slots;
  // Behind a bucket that was always open nothing is looked for.
  const bool open = std::find(slots.begin(), slots.end(), kEmpty) != slots.end();
  slot = open ? kEmpty : kErased;
  if (open) --segment.used;
  --segment.live;
  --size_;
}

EntryTable::Slot& EntryTable::SlotHolding(const Entry* entry, size_t hash) {
  Segment& segment = SegmentOf(hash);
  const Slot wanted = SlotOf(entry, hash);
  for (size_t bucket = FirstBucket(hash);; bucket = Next(bucket)) {
    auto& slots = segment.buckets[bucket].slots;
    const auto found = std::find(slots.begin(), slots.end(), wanted);
    if (found != slots.end()) return *found;
  }
}

// There is an empty slot.
void EntryTable::Put(Segment& segment, Slot slot, size_t hash) {
  for (size_t bucket = FirstBucket(hash);; bucket = Next(bucket)) {
    for (Slot& place : segment.buckets[bucket].slots) {
      if (HoldsEntry(place)) continue;
      if (place == kEmpty) ++segment.used;
      place = slot;
      ++segment.live;
      return;
    }
  }
}

void EntryTable::MakeRoom(size_t hash) {
  if (SegmentOf(hash).live > kMaxUsed / 2) return Split(hash);
  // Mostly erased slots: the same segment again, without them.
  const Segment old = SegmentOf(hash);
  Segment& segment = SegmentOf(hash);
  segment = Segment{};
  segment.depth = old.depth;
  MoveInto(old);
}

// Divides the segment by the next bit of the hash.
void EntryTable::Split(size_t hash) {
  if (SegmentOf(hash).depth == depth_) DoubleDirectory();
  Segment& segment = SegmentOf(hash);
  const Segment old = segment;
  segment = Segment{};
  segment.depth = old.depth + 1;
  Segment* const sibling = NewSegment(old.depth + 1);
  // Its places in the directory are next to each other; the upper half is the sibling's.
  const size_t places = size_t{1} << (depth_ - old.depth);
  const size_t first = SegmentIndex(hash) & ~(places - 1);
  std::fill_n(directory_.begin() + static_cast<ptrdiff_t>(first + places / 2), places / 2, sibling);
  MoveInto(old);
}

// Puts all entries of a segment to where they belong now.
void EntryTable::MoveInto(const Segment& from) {
  const auto for_each = [&from](auto visit) {
    for (const Bucket& bucket : from.buckets) {
      for (const Slot slot : bucket.slots) {
        if (HoldsEntry(slot)) visit(slot);
      }
    }
  };
  for_each([](Slot slot) { EntryOf(slot)->Prefetch(); });
  for_each([this](Slot slot) {
    const size_t hash = HashOf(*EntryOf(slot));
    Put(SegmentOf(hash), slot, hash);
  });
}

void EntryTable::DoubleDirectory() {
  std::vector<Segment*> doubled;
  doubled.reserve(2 * directory_.size());
  for (Segment* const segment : directory_) doubled.insert(doubled.end(), 2, segment);
  directory_ = std::move(doubled);
  ++depth_;
}

EntryTable::Segment* EntryTable::NewSegment(int depth) {
  segments_.push_back(std::make_unique<Segment>());
  segments_.back()->depth = depth;
  return segments_.back().get();
}

}  // namespace tarn::storage::memory
