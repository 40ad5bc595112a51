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
  for (const Image& image : images_) {
    if (image.entry != nullptr) Entry::Delete(pool_, image.entry);
  }
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
  change.usage = UsageAfterWrite(probe, current, effect);
  const bool keep = MustKeep(*current, needs);
  if (!keep && current->Fits(effect.value_size(), effect.deadline)) {
    UnindexDeadline(current);
    current->Overwrite(revision, effect.deadline, effect.head, effect.tail);
    IndexDeadline(current);
    return change;
  }
  Entry* const replacement = Entry::New(pool_, FieldsOf(probe, effect, revision));
  return change +=
         keep ? Keep(probe, current, replacement, revision) : Replace(probe, current, replacement);
}

ShardChange Shard::Erase(const Probe& probe, Entry* current, Revision revision,
                         const ImageNeeds& needs) {
  ShardChange change;
  change.usage = UsageAfterErase(*current);
  const bool keep = MustKeep(*current, needs);
  if (!keep && !current->has_images()) {
    change.memory_bytes = -Footprint(*current);
    Remove(probe, current);
    Entry::Delete(pool_, current);
    return change;
  }
  Entry* const tombstone = Entry::New(pool_, TombstoneOf(probe, revision));
  return change +=
         keep ? Keep(probe, current, tombstone, revision) : Replace(probe, current, tombstone);
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

// `replacement` becomes the current entry, `current` an image.
ShardChange Shard::Keep(const Probe& probe, Entry* current, Entry* replacement, Revision revision) {
  ShardChange change;
  change.memory_bytes = Footprint(*replacement) - Footprint(*current);
  change.image_bytes = Footprint(*current);
  UnindexDeadline(current);
  entries_.Replace(current, replacement, probe.hash);
  IndexDeadline(replacement);
  // The order leads to it already, unless there are older ones.
  if (current->has_images()) ImageOf(*LastImage(PlaceOf(probe).entry)).next = current;
  images_.push_back({current, current->revision(), revision, nullptr});
  current->BecomeImage(first_image_ + images_.size() - 1);
  replacement->NoteImages();
  return change;
}

// `replacement` becomes the current entry, and `current` is gone.
ShardChange Shard::Replace(const Probe& probe, Entry* current, Entry* replacement) {
  ShardChange change;
  change.memory_bytes = Footprint(*replacement) - Footprint(*current);
  UnindexDeadline(current);
  // The same key has the same hash and the same place in the order: only the address changes.
  entries_.Replace(current, replacement, probe.hash);
  IndexDeadline(replacement);
  if (current->has_images()) {
    replacement->NoteImages();
  } else {
    PlaceOf(probe).entry = replacement;
  }
  Entry::Delete(pool_, current);
  return change;
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
  if (expired->has_images()) {
    Entry* const tombstone = Entry::New(pool_, TombstoneOf(probe, expired->revision()));
    return change += Replace(probe, expired, tombstone);
  }
  change.memory_bytes = -Footprint(*expired);
  Remove(probe, expired);
  Entry::Delete(pool_, expired);
  return change;
}

ShardChange Shard::Collect(Revision oldest, size_t max_images) {
  ShardChange change;
  size_t dropped = 0;
  for (size_t i = 0; i < kDroppedPerStep && dropped < max_images && !images_.empty(); ++i) {
    const Image& first = images_.front();
    if (first.entry != nullptr) {
      if (first.replaced_at > oldest) break;
      change += DropFirstImage();
      ++dropped;
    }
    images_.pop_front();
    ++first_image_;
  }
  return change;
}

// Images of a key were noted in the order of their revisions, so it is the oldest of its key. It
// stays noted.
ShardChange Shard::DropFirstImage() {
  const Image& first = images_.front();
  const Probe probe(first.entry->ns(), first.entry->key());
  const Ordered& place = PlaceOf(probe);
  Entry* const current = first.next == nullptr ? Find(probe) : nullptr;
  place.entry = current == nullptr ? first.next : current;
  ShardChange change;
  change.image_bytes = -Footprint(*first.entry);
  Entry::Delete(pool_, first.entry);
  if (current == nullptr) return change;
  current->ForgetImages();
  return change += RemoveBareTombstone(current);
}

ShardChange Shard::DropImagesOf(absl::Span<const Ordered* const> places) {
  std::vector<std::pair<const Ordered*, Probe>> with_images;
  for (const Ordered* const place : places) {
    if (!place->entry->is_image()) continue;
    with_images.emplace_back(place, Probe(place->entry->ns(), place->entry->key()));
    PrefetchBucket(with_images.back().second);
  }
  for (const auto& [place, probe] : with_images) PrefetchEntry(probe);
  ShardChange change;
  std::vector<Entry*> tombstones;  // Removed only then: that moves places.
  for (const auto& [place, probe] : with_images) {
    Entry* const current = Find(probe);
    change.image_bytes -= DropImages(std::exchange(place->entry, current));
    current->ForgetImages();
    if (current->is_tombstone()) tombstones.push_back(current);
  }
  for (Entry* const tombstone : tombstones) change += RemoveBareTombstone(tombstone);
  return change;
}

// Of one key, from the oldest one. Gives their footprints.
int64_t Shard::DropImages(Entry* first) {
  int64_t bytes = 0;
  for (Entry* entry = first; entry != nullptr;) {
    Image& image = ImageOf(*entry);
    bytes += Footprint(*entry);
    image.entry = nullptr;
    Entry::Delete(pool_, std::exchange(entry, image.next));
  }
  return bytes;
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

Entry* Shard::LastImage(Entry* image) const {
  while (Entry* const next = ImageOf(*image).next) image = next;
  return image;
}

Form Shard::VisibleAt(const Ordered& place, Revision revision) const {
  const Entry* current = place.entry;
  if (current->is_image()) {
    for (const Entry* entry = current; entry != nullptr;) {
      const Image& image = ImageOf(*entry);
      if (image.revision > revision) return {};
      if (image.replaced_at > revision) return {entry, image.revision};
      entry = image.next;
    }
    current = Find(Probe(current->ns(), current->key()));
  }
  if (current->revision() > revision) return {};
  return {current, current->revision()};
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
