#include "storage/memory/shard.h"

#include <algorithm>
#include <iterator>

namespace tarn::storage::memory {
namespace {

Usage UsageOf(const Entry& entry) {
  if (entry.is_tombstone()) return {};
  return {1, static_cast<int64_t>(entry.data_bytes())};
}

Usage operator-(const Usage& left, const Usage& right) {
  return {left.entries - right.entries, left.bytes - right.bytes};
}

int64_t Footprint(const Entry& entry) { return static_cast<int64_t>(entry.footprint()); }

Entry::Fields FieldsOf(const Probe& probe, const Effect& effect, Revision revision) {
  Entry::Fields fields;
  fields.ns = probe.ns;
  fields.revision = revision;
  fields.deadline = effect.deadline;
  fields.key = probe.key;
  fields.head = effect.head;
  fields.tail = effect.tail;
  return fields;
}

Entry::Fields TombstoneOf(const Probe& probe, Revision revision) {
  Entry::Fields fields;
  fields.kind = Entry::Kind::kTombstone;
  fields.ns = probe.ns;
  fields.revision = revision;
  fields.key = probe.key;
  return fields;
}

}  // namespace

Shard::~Shard() {
  entries_.ForEach([this](Entry* entry) { Entry::Delete(pool_, entry); });
  for (const Retired& retired : retired_) Entry::Delete(pool_, retired.image);
}

Usage Shard::UsageAfterWrite(const Probe& probe, const Entry* current, const Effect& effect) {
  const Usage after{1, static_cast<int64_t>(probe.key.size() + effect.value_size())};
  return current == nullptr ? after : after - UsageOf(*current);
}

Usage Shard::UsageAfterErase(const Entry& current) { return Usage{} - UsageOf(current); }

ShardChange Shard::Write(const Probe& probe, Entry* current, const Effect& effect,
                         Revision revision, const ImageNeeds& needs) {
  if (current == nullptr) return Insert(probe, effect, revision);
  ShardChange change;
  const bool keep_image = MustKeep(*current, needs);
  change.usage = UsageAfterWrite(probe, current, effect);
  if (current->Fits(effect.value_size(), effect.deadline)) {
    if (keep_image)
      change.image_bytes = Retire(current, Entry::Clone(pool_, *current), revision).image_bytes;
    UnindexDeadline(current);
    current->Overwrite(revision, effect.deadline, effect.head, effect.tail);
    IndexDeadline(current);
    return change;
  }
  Entry* const replacement = Entry::New(pool_, FieldsOf(probe, effect, revision));
  change.memory_bytes = Footprint(*replacement) - Footprint(*current);
  Replace(probe, current, replacement);
  if (keep_image) {
    change.image_bytes = Retire(replacement, current, revision).image_bytes;
  } else {
    Entry::Delete(pool_, current);
  }
  return change;
}

ShardChange Shard::Erase(const Probe& probe, Entry* current, Revision revision,
                         const ImageNeeds& needs) {
  ShardChange change;
  change.usage = UsageAfterErase(*current);
  change.memory_bytes = -Footprint(*current);
  const bool keep_image = MustKeep(*current, needs);
  if (!keep_image && !images_.contains(current)) {
    Remove(probe, current);
    Entry::Delete(pool_, current);
    return change;
  }
  Entry* const tombstone = Entry::New(pool_, TombstoneOf(probe, revision));
  change.memory_bytes += Footprint(*tombstone);
  Replace(probe, current, tombstone);
  if (keep_image) {
    change.image_bytes = Retire(tombstone, current, revision).image_bytes;
  } else {
    Entry::Delete(pool_, current);
  }
  return change;
}

std::optional<ShardChange> Shard::Load(absl::Span<const LoadedEntry> run) {
  for (const LoadedEntry& loaded : run) PrefetchBucket(loaded.probe);
  ShardChange change;
  auto next = order_.end();  // Where the next one probably belongs.
  for (const auto& [view, probe] : run) {
    if (entries_.Find(probe) != nullptr) return std::nullopt;
    Entry* const entry = Entry::New(
        pool_,
        {Entry::Kind::kLive, view->ns, view->revision, view->deadline, view->key, view->value, {}});
    entries_.Insert(entry, probe.hash);
    next = std::next(order_.insert(next, Ordered(entry)));
    IndexDeadline(entry);
    change += {.usage = UsageOf(*entry), .memory_bytes = Footprint(*entry)};
  }
  return change;
}

ShardChange Shard::Insert(const Probe& probe, const Effect& effect, Revision revision) {
  Entry* const entry = Entry::New(pool_, FieldsOf(probe, effect, revision));
  ShardChange change;
  change.usage = UsageOf(*entry);
  change.memory_bytes = Footprint(*entry);
  entries_.Insert(entry, probe.hash);
  order_.insert(Ordered(entry));
  IndexDeadline(entry);
  return change;
}

bool Shard::MustKeep(const Entry& entry, const ImageNeeds& needs) const {
  if (entry.revision() > needs.newest) return false;
  return entry.revision() <= needs.newest_other ||
         !passed_.Contain(needs.consumer, entry.ns(), entry.key());
}

// From now on `image` is an old form of the key that `current` stands for.
ShardChange Shard::Retire(Entry* current, Entry* image, Revision revision) {
  images_[current].push_back(retired_.insert(retired_.end(), {image, revision}));
  ShardChange change;
  change.image_bytes = Footprint(*image);
  return change;
}

// Puts `replacement` into all indexes where `current` was. `current` stays allocated.
void Shard::Replace(const Probe& probe, Entry* current, Entry* replacement) {
  UnindexDeadline(current);
  // The same key has the same hash and the same place in the order: only the address changes.
  entries_.Replace(current, replacement, probe.hash);
  order_.find(OrderBound(probe.ns, probe.key))->entry = replacement;
  IndexDeadline(replacement);
  const auto found = images_.find(current);
  if (found == images_.end()) return;
  Images moved = std::move(found->second);
  images_.erase(found);
  images_.emplace(replacement, std::move(moved));
}

void Shard::Remove(const Probe& probe, Entry* current) {
  UnindexDeadline(current);
  order_.erase(order_.find(OrderBound(probe.ns, probe.key)));
  entries_.Erase(current, probe.hash);
}

// No snapshot shows the entry itself, but one may show an older image of the key.
ShardChange Shard::RemoveExpired(Entry* expired) {
  const Probe probe(expired->ns(), expired->key());
  ShardChange change;
  change.usage = UsageAfterErase(*expired);
  change.memory_bytes = -Footprint(*expired);
  if (images_.contains(expired)) {
    Entry* const tombstone = Entry::New(pool_, TombstoneOf(probe, expired->revision()));
    change.memory_bytes += Footprint(*tombstone);
    Replace(probe, expired, tombstone);
  } else {
    Remove(probe, expired);
  }
  Entry::Delete(pool_, expired);
  return change;
}

ShardChange Shard::Collect(Revision oldest, size_t max_images) {
  ShardChange change;
  for (size_t dropped = 0; dropped < max_images && !retired_.empty(); ++dropped) {
    if (retired_.front().replaced_at > oldest) break;
    change += DropOldestImage();
  }
  return change;
}

// Images of a key were retired in the order of their revisions, so it is the oldest of its key.
ShardChange Shard::DropOldestImage() {
  ShardChange change;
  Entry* const image = retired_.front().image;
  change.image_bytes = -Footprint(*image);
  Entry* const current = Find(Probe(image->ns(), image->key()));
  const auto images = images_.find(current);
  images->second.erase(images->second.begin());
  retired_.pop_front();
  Entry::Delete(pool_, image);
  if (!images->second.empty()) return change;
  images_.erase(images);
  return change += RemoveBareTombstone(current);
}

ShardChange Shard::DropImagesOf(Entry* current) {
  ShardChange change;
  const auto images = images_.find(current);
  if (images == images_.end()) return change;
  for (const RetiredList::iterator retired : images->second) {
    change.image_bytes -= Footprint(*retired->image);
    Entry::Delete(pool_, retired->image);
    retired_.erase(retired);
  }
  images_.erase(images);
  return change += RemoveBareTombstone(current);
}

// A tombstone stands only for what images show.
ShardChange Shard::RemoveBareTombstone(Entry* current) {
  ShardChange change;
  if (!current->is_tombstone()) return change;
  change.memory_bytes = -Footprint(*current);
  Remove(Probe(current->ns(), current->key()), current);
  Entry::Delete(pool_, current);
  return change;
}

const Entry* Shard::VisibleAt(const Entry& entry, Revision revision) const {
  if (entry.revision() <= revision) return &entry;
  const auto found = images_.find(&entry);
  if (found == images_.end()) return nullptr;
  const Images& images = found->second;
  const auto visible = std::find_if(
      images.rbegin(), images.rend(),
      [&](const RetiredList::iterator& retired) { return retired->image->revision() <= revision; });
  return visible == images.rend() ? nullptr : (*visible)->image;
}

std::vector<std::string> Shard::SplitKeys(NamespaceId ns, size_t parts) const {
  KeySample sample;
  std::string last;
  while (SampleKeys(ns, &last, &sample)) {
  }
  const std::vector<std::string>& sampled = sample.keys();
  std::vector<std::string> keys;
  for (size_t part = 1; part < parts && part < sampled.size(); ++part) {
    const std::string& key = sampled[part * sampled.size() / parts];
    if (keys.empty() || key > keys.back()) keys.push_back(key);
  }
  return keys;
}

// Goes on behind `last` (at the beginning when it is empty) for as long as a lock may be held;
// false when the namespace has ended.
bool Shard::SampleKeys(NamespaceId ns, std::string* last, KeySample* sample) const {
  const ShardReaderLock lock(mutex);
  auto slot = last->empty() ? order_.lower_bound(OrderBound(ns, ""))
                            : order_.upper_bound(OrderBound(ns, *last));
  const Entry* visited = nullptr;
  for (size_t i = 0; i < kSampledPerLock; ++i, ++slot) {
    if (slot == order_.end() || NamespaceOf(slot->prefix) != ns) return false;
    visited = slot->entry;
    if (sample->WantsNext()) sample->Add(visited->key());
  }
  *last = std::string(visited->key());
  return true;
}

void Shard::IndexDeadline(Entry* entry) {
  if (entry->has_deadline()) deadlines_.emplace(entry->deadline(), entry);
}

void Shard::UnindexDeadline(Entry* entry) {
  if (entry->has_deadline()) deadlines_.erase({entry->deadline(), entry});
}

}  // namespace tarn::storage::memory
