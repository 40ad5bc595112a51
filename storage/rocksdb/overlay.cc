#include "storage/rocksdb/overlay.h"

#include <array>
#include <utility>

#include "storage/rocksdb/layout.h"
#include "storage/rocksdb/slice.h"

namespace tarn::storage::rocks {
namespace {

void Take(absl::StatusOr<Row> row, Slot& slot) {
  if (!row.ok()) {
    slot.status = std::move(row).status();
    return;
  }
  slot.before = *row;
  slot.now = *row;
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
}

}  // namespace

size_t Overlay::Add(NamespaceId ns, absl::string_view key) {
  const size_t size = EntryKey::Size(key);
  char* const bytes = arena_.Allocate(size);
  EntryKey::Write(ns, key, bytes);
  const absl::string_view entry_key(bytes, size);
  const auto [it, added] = numbers_.try_emplace(entry_key, slots_.size());
  if (added) slots_.emplace_back().entry_key = entry_key;
  return it->second;
}

void Overlay::Load(const Database& database) {
  if (values_.size() < slots_.size()) {
    values_.resize(slots_.size());
    statuses_.resize(slots_.size());
  }
  if (slots_.size() == 1) {
    LoadOne(database);
  } else {
    LoadMany(database);
  }
}

void Overlay::LoadOne(const Database& database) {
  Slot& slot = slots_.front();
  const rocksdb::Status status =
      database.db().Get({}, database.entries(), ToSlice(slot.entry_key), &values_.front());
  Take(InterpretGet(status, values_.front()), slot);
}

void Overlay::LoadMany(const Database& database) {
  keys_.clear();
  for (const Slot& slot : slots_) keys_.push_back(ToSlice(slot.entry_key));
  database.db().MultiGet({}, database.entries(), keys_.size(), keys_.data(), values_.data(),
                         statuses_.data());
  for (size_t i = 0; i < slots_.size(); ++i) {
    Take(InterpretGet(statuses_[i], values_[i]), slots_[i]);
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
  for (size_t i = 0; i < slots_.size(); ++i) values_[i].Reset();
  slots_.clear();
  numbers_.clear();
  arena_.Reset();
  replaced_bytes_ = 0;
  earliest_deadline_ = base::kNever;
}

}  // namespace tarn::storage::rocks
