// One open RocksDB database of Tarn's layout.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rocksdb/db.h"
#include "rocksdb/write_batch.h"
#include "storage/engine.h"
#include "storage/revision.h"
#include "storage/rocksdb/health.h"
#include "storage/rocksdb/key_samples.h"
#include "storage/rocksdb/tuning.h"
#include "storage/usage.h"

namespace tarn::storage::rocks {

// Thread-safe as RocksDB is. Closed when destroyed: every iterator and snapshot ends before.
class Database {
 public:
  // Makes a new one, empty and with the current format's record. DATA_LOSS when there is one.
  static absl::StatusOr<std::unique_ptr<Database>> Create(const Machinery& machinery,
                                                          const std::string& path, DatabaseUse use);

  // DATA_LOSS naming the file when something is missing or damaged; FAILED_PRECONDITION when a
  // newer Tarn wrote it.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const Machinery& machinery,
                                                        const std::string& path);

  // As Open, when nothing can be written for now, because of `cause`: what the log holds is there
  // to be read, and all writes fail.
  static absl::StatusOr<std::unique_ptr<Database>> OpenReadOnly(const Machinery& machinery,
                                                                const std::string& path,
                                                                const std::string& cause);

  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* meta() const { return families_[0]; }
  rocksdb::ColumnFamilyHandle* entries() const { return families_[1]; }
  rocksdb::ColumnFamilyHandle* expiry() const { return families_[2]; }
  Health& health() const { return *health_; }
  // Of what was written since it was opened; what was written before is in files.
  KeySamples& samples() const { return samples_; }
  const std::string& path() const { return path_; }

  // Of the newest commit, or of the newest the snapshot shows; 0 when there was none. Null: now.
  absl::StatusOr<Revision> ReadCommit(const rocksdb::Snapshot* snapshot) const;
  absl::StatusOr<std::optional<StoreMeta>> ReadStore() const;
  absl::StatusOr<std::vector<std::pair<NamespaceId, Usage>>> ReadUsage(
      const rocksdb::Snapshot* snapshot) const;
  absl::StatusOr<Usage> ReadUsageOf(NamespaceId ns) const;

  void PutCommit(Revision revision, rocksdb::WriteBatch& batch) const;
  void PutStore(const StoreMeta& meta, rocksdb::WriteBatch& batch) const;
  // Keeps no record of nothing.
  void PutUsage(NamespaceId ns, const Usage& usage, rocksdb::WriteBatch& batch) const;

  // Returns when it is on the medium.
  absl::Status WriteDurably(rocksdb::WriteBatch& batch) const;

 private:
  Database(std::string path, std::shared_ptr<Health> health);

  // Takes over what one of RocksDB's functions opened, or explains why it did not.
  absl::Status Start(const rocksdb::Status& opened, rocksdb::DB* db, rocksdb::Env& env);
  absl::Status CheckFormat() const;
  absl::StatusOr<std::optional<std::string>> ReadRecord(absl::string_view key,
                                                        const rocksdb::Snapshot* snapshot) const;

  const std::string path_;
  const std::shared_ptr<Health> health_;
  mutable KeySamples samples_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;  // As ColumnFamilies() orders them.
};

}  // namespace tarn::storage::rocks
