// Builds the database that is to replace the one in use.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "rocksdb/write_batch.h"
#include "storage/base/file_system.h"
#include "storage/engine.h"
#include "storage/rocksdb/database.h"
#include "storage/rocksdb/disk_watch.h"
#include "storage/usage.h"

namespace tarn::storage::rocks {

class RocksDbBulkLoad final : public BulkLoad {
 public:
  // Puts the complete and closed database at `path` in the place of the one in use.
  using Publisher =
      absl::AnyInvocable<absl::Status(const std::string& path, const StoreMeta& meta)>;

  RocksDbBulkLoad(base::FileSystem& files, DiskWatch& disk, std::unique_ptr<Database> database,
                  Publisher publisher);
  ~RocksDbBulkLoad() override;

  absl::Status Add(absl::Span<const EntryView> entries) override;
  absl::Status Publish(const StoreMeta& meta) override;

 private:
  // What was added, in numbers.
  struct Totals {
    std::map<NamespaceId, Usage> usage;
    Revision newest = 0;
  };

  absl::Status WriteEntries(absl::Span<const EntryView> entries, Totals& totals);
  absl::Status Write(rocksdb::WriteBatch& batch);
  void Merge(const Totals& totals, const absl::Status& status);
  absl::Status Finish(const StoreMeta& meta);

  base::FileSystem& files_;
  DiskWatch& disk_;
  const std::string path_;
  Publisher publisher_;
  std::unique_ptr<Database> database_;  // Null once it was closed.
  bool published_ = false;

  absl::Mutex mutex_;
  Totals totals_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);  // The first of Add's.
};

}  // namespace tarn::storage::rocks
