#include "storage/rocksdb/bulk_load.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/logging.h"
#include "storage/base/status.h"
#include "storage/rocksdb/layout.h"
#include "storage/rocksdb/rocksdb_status.h"
#include "storage/rocksdb/slice.h"

namespace tarn::storage::rocks {
namespace {

// Large enough that handing it over costs nothing, small enough to stay in the processor's cache.
constexpr size_t kBatchBytes = 256 << 10;

void PutEntry(const EntryView& entry, const Database& database, rocksdb::WriteBatch& batch) {
  const EntryKey key(entry.ns, entry.key);
  const EntryHeader header = EncodeEntryHeader(entry.revision, entry.deadline);
  const rocksdb::Slice key_slice = ToSlice(key.view());
  const std::array<rocksdb::Slice, 2> value = {rocksdb::Slice(header.data(), header.size()),
                                               ToSlice(entry.value)};
  batch
      .Put(database.entries(), rocksdb::SliceParts(&key_slice, 1),
           rocksdb::SliceParts(value.data(), static_cast<int>(value.size())))
      .PermitUncheckedError();
  if (entry.deadline == base::kNever) return;
  batch.Put(database.expiry(), EncodeExpiryKey(entry.deadline, key.view()), {})
      .PermitUncheckedError();
}

}  // namespace

RocksDbBulkLoad::RocksDbBulkLoad(base::FileSystem& files, DiskWatch& disk,
                                 std::unique_ptr<Database> database, Publisher publisher)
    : files_(files),
      disk_(disk),
      path_(database->path()),
      publisher_(std::move(publisher)),
      database_(std::move(database)) {}

RocksDbBulkLoad::~RocksDbBulkLoad() {
  database_.reset();
  if (published_) return;
  const absl::Status removed = files_.RemoveRecursively(path_);
  if (!removed.ok()) base::LogWarning("left for the next start: ", removed.message());
}

absl::Status RocksDbBulkLoad::Add(absl::Span<const EntryView> entries) {
  Totals totals;
  absl::Status status = WriteEntries(entries, totals);
  Merge(totals, status);
  return status;
}

absl::Status RocksDbBulkLoad::WriteEntries(absl::Span<const EntryView> entries, Totals& totals) {
  rocksdb::WriteBatch batch(kBatchBytes);
  for (const EntryView& entry : entries) {
    if (entry.ns >= UsageLedger::kMaxNamespaceIds) {
      return absl::InvalidArgumentError(absl::StrCat("there is no namespace ", entry.ns));
    }
    PutEntry(entry, *database_, batch);
    totals.usage[entry.ns] += {1, static_cast<int64_t>(entry.key.size() + entry.value.size())};
    totals.newest = std::max(totals.newest, entry.revision);
    if (batch.GetDataSize() < kBatchBytes) continue;
    TARN_RETURN_IF_ERROR(Write(batch));
    batch.Clear();
  }
  return Write(batch);
}

absl::Status RocksDbBulkLoad::Write(rocksdb::WriteBatch& batch) {
  if (disk_.room() != Room::kEnough) return DiskFull();
  rocksdb::WriteOptions options;
  options.disableWAL = true;  // All of it is flushed before it counts.
  return ToStatus(database_->db().Write(options, &batch), "loading entries");
}

void RocksDbBulkLoad::Merge(const Totals& totals, const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  failure_.Update(status);
  for (const auto& [ns, usage] : totals.usage) totals_.usage[ns] += usage;
  totals_.newest = std::max(totals_.newest, totals.newest);
}

absl::Status RocksDbBulkLoad::Publish(const StoreMeta& meta) {
  TARN_RETURN_IF_ERROR(Finish(meta));
  database_.reset();
  TARN_RETURN_IF_ERROR(publisher_(path_, meta));
  published_ = true;
  return absl::OkStatus();
}

// Everything of it is on the medium when this returns.
absl::Status RocksDbBulkLoad::Finish(const StoreMeta& meta) {
  rocksdb::WriteBatch batch;
  {
    absl::MutexLock lock(&mutex_);
    TARN_RETURN_IF_ERROR(failure_);
    for (const auto& [ns, usage] : totals_.usage) database_->PutUsage(ns, usage, batch);
    database_->PutCommit(std::max(totals_.newest, FirstRevision(meta.incarnation)), batch);
  }
  database_->PutStore(meta, batch);
  TARN_RETURN_IF_ERROR(Write(batch));
  return ToStatus(
      database_->db().Flush({}, {database_->meta(), database_->entries(), database_->expiry()}),
      "flushing the loaded entries");
}

}  // namespace tarn::storage::rocks
