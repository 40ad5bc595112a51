#include "storage/rocksdb/sweeper.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "rocksdb/write_batch.h"
#include "storage/base/status.h"
#include "storage/rocksdb/layout.h"
#include "storage/rocksdb/rocksdb_status.h"
#include "storage/rocksdb/row.h"
#include "storage/rocksdb/slice.h"

namespace tarn::storage::rocks {
namespace {

// What one sweep removes.
class Removal {
 public:
  explicit Removal(const Database& database) : database_(database) {}

  absl::Status Add(const rocksdb::Slice& index_key);
  // Writes it, then lets the ledger know.
  absl::Status Commit(UsageLedger& ledger);

  uint64_t entries() const { return entries_; }
  uint64_t bytes() const { return bytes_; }

 private:
  const Database& database_;
  rocksdb::WriteBatch batch_;
  absl::flat_hash_map<NamespaceId, Usage> usage_;
  uint64_t entries_ = 0;
  uint64_t bytes_ = 0;
};

absl::Status Removal::Add(const rocksdb::Slice& index_key) {
  const std::optional<ExpiryKey> indexed = DecodeExpiryKey(ToView(index_key));
  if (!indexed) return Undecodable("key in the expiry index");
  const rocksdb::Slice entry_key = ToSlice(indexed->entry_key);
  rocksdb::PinnableSlice value;
  const rocksdb::Status status = database_.db().Get({}, database_.entries(), entry_key, &value);
  TARN_ASSIGN_OR_RETURN(const Row row, InterpretGet(status, value));
  if (!row.exists || row.entry.deadline != indexed->deadline) {
    return Undecodable("expiry index: it names an entry with another deadline");
  }
  batch_.Delete(database_.expiry(), index_key).PermitUncheckedError();
  batch_.Delete(database_.entries(), entry_key).PermitUncheckedError();
  const NamespacedKey key = *DecodeEntryKey(indexed->entry_key);
  const size_t bytes = key.key.size() + row.entry.value.size();
  usage_[key.ns] += {-1, -static_cast<int64_t>(bytes)};
  ++entries_;
  bytes_ += bytes;
  return absl::OkStatus();
}

absl::Status Removal::Commit(UsageLedger& ledger) {
  if (entries_ == 0) return absl::OkStatus();
  for (const auto& [ns, change] : usage_) {
    Usage after = ledger.Get(ns);
    after += change;
    database_.PutUsage(ns, after, batch_);
  }
  // Without a sync: what a crash brings back has expired and is swept again.
  TARN_RETURN_IF_ERROR(ToStatus(database_.db().Write({}, &batch_), "sweeping"));
  for (const auto& [ns, change] : usage_) ledger.Add(ns, change);
  return absl::OkStatus();
}

}  // namespace

void Sweeper::NoteDeadline(base::UnixMs deadline) { swept_to_ = std::min(swept_to_, deadline); }

absl::StatusOr<SweepResult> Sweeper::Sweep(base::UnixMs now, size_t max_entries) {
  const Database& database = *database_.get();
  const std::string from = EncodeExpiryKey(swept_to_, "");
  const base::UnixMs horizon = snapshots_.ShownFrom(now);
  const std::string to = ExpiryBoundAfter(horizon);
  const rocksdb::Slice bound = ToSlice(to);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> it(
      database.db().NewIterator(options, database.expiry()));
  Removal removal(database);
  for (it->Seek(ToSlice(from)); it->Valid() && removal.entries() < max_entries; it->Next()) {
    TARN_RETURN_IF_ERROR(removal.Add(it->key()));
  }
  TARN_RETURN_IF_ERROR(ToStatus(it->status(), "reading the expiry index"));
  const bool more = it->Valid();
  const std::optional<ExpiryKey> next =
      more ? DecodeExpiryKey(ToView(it->key())) : ExpiryKey{horizon + 1, {}};
  TARN_RETURN_IF_ERROR(removal.Commit(ledger_));
  if (next) swept_to_ = next->deadline;
  snapshots_.CountReplaced(removal.bytes());
  return SweepResult{removal.entries(), more};
}

}  // namespace tarn::storage::rocks
