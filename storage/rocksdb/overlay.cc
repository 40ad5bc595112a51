#include "storage/rocksdb/overlay.h"

#include <array>
#include <utility>

#include "storage/base/error.h"
#include "storage/rocksdb/layout.h"
#include "storage/rocksdb/slice.h"

namespace tarn::storage::rocks {
namespace {

// Put and delete replace the value whatever it is.
bool LooksAtValue(OperationKind kind) {
  return kind != OperationKind::kPut && kind != OperationKind::kDelete;
}

absl::Status TooLarge() {
  return base::MakeError(absl::StatusCode::kResourceExhausted, base::Reason::kMemoryLimit,
                         "the entries of this commit are too large to be held at one time");
}

base::UnixMs IndexedDeadline(const Row& row) {
  return row.exists ? row.entry.deadline : base::kNever;
}

void PutEntry(const Slot& slot, const Database& database, rocksdb::WriteBatch& batch) {
  const StoredEntry& entry = slot.now.entry;
  const EntryHeader header = EncodeEntryHeader(entry.revision, entry.deadline);
  const rocksdb::Slice key = ToSlice(slot.entry_key);
  const std::array<rocksdb::Slice, 2> value = {rocksdb::Slice(header.data(), header.size()),
                                               ToSlice(entry.value)};
  batch
      .Put(database.entries(), rocksdb::SliceParts(&key, 1),
           rocksdb::SliceParts(value.data(), static_cast<int>(value.size())))
      .PermitUncheckedError();
  database.samples().Note(slot.entry_key, slot.entry_key.size() + header.size() +
                                              entry.value.size() + KeySamples::kOverheadBytes);
}

}  // namespace

absl::string_view Overlay::MakeEntryKey(NamespaceId ns, absl::string_view key) {
  const size_t size = EntryKey::Size(key);
  char* const bytes = arena_.Allocate(size);
  EntryKey::Write(ns, key, bytes);
  return {bytes, size};
}

size_t Overlay::Add(const Operation& operation) {
  const absl::string_view entry_key = MakeEntryKey(operation.ns, operation.key);
  const auto [it, added] = numbers_.try_emplace(entry_key, slots_.size());
  if (added) slots_.emplace_back().entry_key = entry_key;
  slots_[it->second].needs_value |= LooksAtValue(operation.kind);
  return it->second;
}

void Overlay::Load(const Database& database) {
  for (Slot& slot : slots_) LoadSlot(database, slot);
}

void Overlay::AddNew(NamespaceId ns, absl::string_view key, const StoredEntry& entry) {
  Slot& slot = slots_.emplace_back();
  slot.entry_key = MakeEntryKey(ns, key);
  slot.now = {true, entry};
  slot.changed = true;
}

void Overlay::LoadSlot(const Database& database, Slot& slot) {
  if (loaded_values_ == values_.size()) values_.emplace_back();
  rocksdb::PinnableSlice& value = values_[loaded_values_];
  const rocksdb::Status status =
      database.db().Get({}, database.entries(), ToSlice(slot.entry_key), &value);
  const absl::StatusOr<Row> row = InterpretGet(status, value);
  if (!row.ok()) {
    slot.status = row.status();
  } else if (slot.needs_value && loaded_bytes_ + value.size() > kMaxLoadedBytes) {
    slot.status = TooLarge();
  } else {
    slot.before = *row;
    slot.now = *row;
  }
  if (slot.status.ok() && slot.needs_value && row->exists) {
    loaded_bytes_ += value.size();
    ++loaded_values_;
  } else {
    value.Reset();
  }
}

void Overlay::AddIndexChange(const Slot& slot, const Database& database,
                             rocksdb::WriteBatch& batch) {
  const base::UnixMs before = IndexedDeadline(slot.before);
  const base::UnixMs now = IndexedDeadline(slot.now);
  if (before == now) return;
  if (before != base::kNever) {
    batch.Delete(database.expiry(), EncodeExpiryKey(before, slot.entry_key)).PermitUncheckedError();
  }
  if (now == base::kNever) return;
  batch.Put(database.expiry(), EncodeExpiryKey(now, slot.entry_key), {}).PermitUncheckedError();
  if (earliest_deadline_ == base::kNever || now < earliest_deadline_) earliest_deadline_ = now;
}

void Overlay::AddChanges(const Database& database, rocksdb::WriteBatch& batch) {
  for (const Slot& slot : slots_) {
    if (!slot.changed) continue;
    AddIndexChange(slot, database, batch);
    if (slot.now.exists) {
      PutEntry(slot, database, batch);
    } else if (slot.before.exists) {
      batch.Delete(database.entries(), ToSlice(slot.entry_key)).PermitUncheckedError();
    }
    if (slot.before.exists) {
      replaced_bytes_ += slot.entry_key.size() + slot.before.entry.value.size();
    }
  }
}

void Overlay::Clear() {
  for (size_t i = 0; i < loaded_values_; ++i) values_[i].Reset();
  loaded_values_ = 0;
  loaded_bytes_ = 0;
  slots_.clear();
  numbers_.clear();
  arena_.Reset();
  replaced_bytes_ = 0;
  earliest_deadline_ = base::kNever;
}

}  // namespace tarn::storage::rocks
