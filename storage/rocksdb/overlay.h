// The entries that a group of batches names: as the database holds them, and as the group so far
// leaves them.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rocksdb/slice.h"
#include "rocksdb/write_batch.h"
#include "storage/base/arena.h"
#include "storage/base/clock.h"
#include "storage/batch.h"
#include "storage/rocksdb/database.h"
#include "storage/rocksdb/row.h"

namespace tarn::storage::rocks {

// One key of the group.
struct Slot {
  absl::string_view entry_key;
  absl::Status status;       // Why the entry could not be read.
  bool needs_value = false;  // Some operation looks at more than the value's size.
  Row before;                // In the database. Its value has only a size when it is not needed.
  Row now;                   // Views operations, the arena, or what `before` views.
  bool changed = false;
};

// Used by the writer's thread only: first every key is added, then all are loaded,
// then batches are judged and change them, and at last what changed becomes RocksDB's.
class Overlay {
 public:
  // What all values that are needed may have together: a batch may name entries that are far larger
  // than itself.
  static constexpr size_t kMaxLoadedBytes = 64 << 20;

  // The number of the slot of the operation's key; one slot for each key.
  size_t Add(const Operation& operation);

  void Load(const Database& database);

  // Adds an entry that is known to be neither in the database nor among the slots. Ends the
  // validity of references to slots.
  void AddNew(NamespaceId ns, absl::string_view key, const StoredEntry& entry);

  Slot& slot(size_t number) { return slots_[number]; }
  base::Arena& arena() { return arena_; }

  // Adds the changes of entries and of the expiry index.
  void AddChanges(const Database& database, rocksdb::WriteBatch& batch);

  // Of the entries that the changes replace or remove.
  uint64_t replaced_bytes() const { return replaced_bytes_; }
  // The earliest deadline among those that the changes add to the index; kNever when there is none.
  base::UnixMs earliest_deadline() const { return earliest_deadline_; }

  // Forgets everything, keeping memory for the next group.
  void Clear();

 private:
  absl::string_view MakeEntryKey(NamespaceId ns, absl::string_view key);
  void LoadSlot(const Database& database, Slot& slot);
  void AddIndexChange(const Slot& slot, const Database& database, rocksdb::WriteBatch& batch);

  base::Arena arena_;
  std::vector<Slot> slots_;
  absl::flat_hash_map<absl::string_view, size_t> numbers_;
  uint64_t replaced_bytes_ = 0;
  base::UnixMs earliest_deadline_ = base::kNever;

  // What slots view. Those beyond `loaded_values_` are left from larger groups.
  std::deque<rocksdb::PinnableSlice> values_;
  size_t loaded_values_ = 0;
  size_t loaded_bytes_ = 0;
};

}  // namespace tarn::storage::rocks
