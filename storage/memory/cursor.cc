#include "storage/memory/cursor.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "storage/base/error.h"

namespace tarn::storage::memory {
namespace {

// How much of a shard is copied under one lock. Starting small keeps short scans cheap; growing
// keeps long ones fast.
constexpr size_t kFirstVisit = 4;
constexpr size_t kMaxVisit = 128;
// Of a cursor that consumes what it reads: it keeps writers out, and they come first.
constexpr size_t kMaxConsumed = 32;
constexpr size_t kMaxStretchBytes = 32 << 10;
constexpr size_t kUsualPageEntries = 512;
constexpr size_t kCacheLineBytes = 64;
constexpr size_t kPrefetchBytes = 3 * kCacheLineBytes;

absl::Status Expired() {
  return base::MakeError(absl::StatusCode::kAborted, base::Reason::kSnapshotExpired,
                         "the snapshot was ended to make room; begin the scan anew");
}

size_t DataBytes(const EntryView& entry) { return entry.key.size() + entry.value.size(); }

}  // namespace

MemoryCursor::MemoryCursor(const CursorContext& context, const OpenedSnapshot& snapshot,
                           const KeyRange& range, const ScanOptions& options)
    : context_(context),
      snapshot_(snapshot),
      range_(range),
      options_(options),
      consumes_(options.reading == ScanReading::kOnce &&
                options.direction == ScanDirection::kAscending &&
                context.snapshots.IsConsumer(snapshot)),
      merge_(Before{this}) {}

void MemoryCursor::Next(const PageBudget& budget, base::UnixMs now, PageCompletion done) {
  Page page;
  Buffers spent;  // Keeps alive what the page views; `this` may be gone when `done` returns.
  if (!started_) Start(budget, now);
  Fill(budget, now, &page, &spent);
  page_entries_ = page.entries.size();
  // Images may have been collected as soon as the snapshot was ended: what was copied since does
  // not count.
  const bool expired = snapshot_.expired.load(std::memory_order_seq_cst);
  if (expired) page.entries.clear();
  std::move(done)(expired ? Expired() : absl::OkStatus(), page);
}

void MemoryCursor::Start(const PageBudget& budget, base::UnixMs now) {
  started_ = true;
  const size_t length =
      std::clamp(budget.max_entries / kShards, kFirstVisit, consumes_ ? kMaxConsumed : kMaxVisit);
  std::array<uint64_t, kShards> ranks{};
  for (size_t index = 0; index < kShards; ++index) {
    stretches_[index].length = length;
    stretches_[index].passed_to = range_.start;
    Refill(index, now);
    ranks[index] = RankOf(stretches_[index]);
  }
  merge_.Rebuild(ranks);
}

void MemoryCursor::Fill(const PageBudget& budget, base::UnixMs now, Page* page, Buffers* spent) {
  size_t bytes = 0;
  page->entries.reserve(std::min(budget.max_entries, std::max(page_entries_, kUsualPageEntries)));
  while (true) {
    const size_t index = merge_.winner();
    Stretch& stretch = stretches_[index];
    page->at_end = stretch.empty();
    if (page->at_end || page->entries.size() == budget.max_entries) return;
    const EntryView& entry = stretch.entries[stretch.next];
    if (!base::HasExpired(entry.deadline, now)) {
      if (!page->entries.empty() && bytes + DataBytes(entry) > budget.max_bytes) return;
      bytes += DataBytes(entry);
      page->entries.push_back(entry);
    }
    ++stretch.next;
    if (stretch.empty()) {
      spent->push_back(std::move(stretch.bytes));
      Refill(index, now);
    }
    stretch.PrefetchNext();
    merge_.Replay(RankOf(stretch));
  }
}

// All stretches together do not fit into the fast caches. The shard's turn comes again after some
// dozen others: time enough to have its next entry fetched.
void MemoryCursor::Stretch::PrefetchNext() const {
  if (empty()) return;
  const EntryView& entry = entries[next];
  const size_t ahead = std::min(DataBytes(entry), kPrefetchBytes);
  for (size_t offset = 0; offset < ahead; offset += kCacheLineBytes)
    PrefetchLine(entry.key.data() + offset);
  PrefetchLine(&entry + 1);
}

// Afterwards the stretch has entries, or the shard has none left.
void MemoryCursor::Refill(size_t index, base::UnixMs now) {
  Stretch& stretch = stretches_[index];
  stretch.entries.clear();
  stretch.prefixes.clear();
  stretch.next = 0;
  Shard& shard = context_.table.shard(index);
  while (stretch.entries.empty() && !stretch.exhausted) {
    if (consumes_) {
      const ShardWriterLock lock(shard.mutex);
      Visit(shard, &stretch);
      Forget(shard, Copy(shard, now, &stretch), &stretch);
    } else {
      const ShardReaderLock lock(shard.mutex);
      Visit(shard, &stretch);
      Copy(shard, now, &stretch);
    }
  }
}

// What was copied is not asked for again: writers need not keep it, and what they kept can go.
void MemoryCursor::Forget(Shard& shard, size_t copied, Stretch* stretch) {
  std::string to = stretch->exhausted ? range_.end : stretch->last_visited + '\0';
  shard.Pass(snapshot_.serial, {range_.ns, std::exchange(stretch->passed_to, to), to});
  if (!shard.has_images() || !context_.snapshots.IsAlone(snapshot_)) return;
  context_.gauge.Add(shard.DropImagesOf(absl::MakeConstSpan(visited_).first(copied)));
}

// Notes the next slots in order, and has their entries fetched into the cache side by side.
void MemoryCursor::Visit(const Shard& shard, Stretch* stretch) {
  visited_.clear();
  const size_t length = stretch->length;
  stretch->length = std::min(2 * length, consumes_ ? kMaxConsumed : kMaxVisit);
  const Order& order = shard.order();
  if (options_.direction == ScanDirection::kAscending) {
    for (auto slot = FirstAscending(shard, *stretch);
         slot != order.end() && visited_.size() < length; ++slot) {
      visited_.push_back(&*slot);
      slot->entry->Prefetch();
    }
  } else {
    for (auto slot = FirstDescending(shard, *stretch);
         slot != order.begin() && visited_.size() < length;) {
      --slot;
      visited_.push_back(&*slot);
      slot->entry->Prefetch();
    }
  }
  stretch->started = true;
  stretch->exhausted = visited_.size() < length;
}

Order::const_iterator MemoryCursor::FirstAscending(const Shard& shard,
                                                   const Stretch& stretch) const {
  if (stretch.started)
    return shard.order().upper_bound(OrderBound(range_.ns, stretch.last_visited));
  return shard.order().lower_bound(OrderBound(range_.ns, range_.start));
}

// The slot behind the first one.
Order::const_iterator MemoryCursor::FirstDescending(const Shard& shard,
                                                    const Stretch& stretch) const {
  if (stretch.started)
    return shard.order().lower_bound(OrderBound(range_.ns, stretch.last_visited));
  if (!range_.end.empty()) return shard.order().lower_bound(OrderBound(range_.ns, range_.end));
  if (range_.ns + 1 == UsageLedger::kMaxNamespaceIds) return shard.order().end();
  return shard.order().lower_bound(OrderBound(range_.ns + 1, ""));
}

// Copies what is visible of the visited entries, as far as the stretch has room; gives of how many.
size_t MemoryCursor::Copy(const Shard& shard, base::UnixMs now, Stretch* stretch) {
  size_t bytes = 0;
  size_t copied = 0;
  const Entry* last = nullptr;
  // They are in order: mostly the last one answers for all.
  const bool all_in_range = visited_.empty() || InRange(*visited_.back()->entry);
  for (const Ordered* const place : visited_) {
    if (!all_in_range && !InRange(*place->entry)) {
      stretch->exhausted = true;
      break;
    }
    if (bytes >= kMaxStretchBytes) {
      stretch->exhausted = false;
      break;
    }
    ++copied;
    last = place->entry;
    const Entry* entry = place->entry;
    Revision revision = entry->revision();
    if (entry->is_image()) {
      const Form form = shard.VisibleAt(*place, snapshot_.revision);
      entry = form.entry;
      revision = form.revision;
    }
    if (entry == nullptr || revision > snapshot_.revision || entry->is_tombstone() ||
        base::HasExpired(entry->deadline(), now))
      continue;
    bytes += Add(*entry, revision, stretch);
  }
  if (last != nullptr) stretch->last_visited.assign(last->key().data(), last->key().size());
  stretch->bytes = std::make_unique_for_overwrite<char[]>(bytes);
  stretch->TakeBytes();
  return copied;
}

// Views the entry where it is; gives the bytes of what it views.
size_t MemoryCursor::Add(const Entry& entry, Revision revision, Stretch* stretch) const {
  EntryView& view = stretch->entries.emplace_back();
  view.ns = range_.ns;
  view.revision = revision;
  view.deadline = entry.deadline();
  view.key = entry.key();
  if (options_.content == ScanContent::kEntries) view.value = entry.value();
  return DataBytes(view);
}

// Copies what the entries view to where the lock is not needed.
void MemoryCursor::Stretch::TakeBytes() {
  char* target = bytes.get();
  const auto take = [&target](absl::string_view* view) {
    if (!view->empty()) std::memcpy(target, view->data(), view->size());
    *view = absl::string_view(target, view->size());
    target += view->size();
  };
  for (EntryView& entry : entries) {
    prefixes.push_back(OrderPrefix(entry.ns, entry.key));
    take(&entry.key);
    take(&entry.value);
  }
}

bool MemoryCursor::InRange(const Entry& entry) const {
  if (entry.ns() != range_.ns) return false;
  if (options_.direction == ScanDirection::kDescending) return entry.key() >= range_.start;
  return range_.end.empty() || entry.key() < range_.end;
}

// What decides most comparisons: the prefix of the next entry, turned round when descending, so
// that smaller is always first. Nothing left is last.
uint64_t MemoryCursor::RankOf(const Stretch& stretch) const {
  if (stretch.empty()) return UINT64_MAX;
  const uint64_t prefix = stretch.prefixes[stretch.next];
  return options_.direction == ScanDirection::kAscending ? prefix : ~prefix;
}

bool MemoryCursor::KeyComesBefore(size_t left, size_t right) const {
  const Stretch& a = stretches_[left];
  const Stretch& b = stretches_[right];
  const bool ascending = options_.direction == ScanDirection::kAscending;
  return (a.entries[a.next].key < b.entries[b.next].key) == ascending;
}

}  // namespace tarn::storage::memory
