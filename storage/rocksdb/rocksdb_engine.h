// The embedded engine for more than fits into memory, durable on the local disk.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/base/clock.h"
#include "storage/base/executor.h"
#include "storage/base/file_system.h"
#include "storage/engine.h"
#include "storage/rocksdb/rocksdb_options.h"
#include "storage/usage.h"

namespace rocksdb {
class Env;
}

namespace tarn::storage {

// One thread writes and orders all commits. Reads are answered on the caller's thread when what
// they need is in memory, and handed to the executor otherwise.
class RocksDbEngine final : public Engine {
 public:
  // All outlive the engine.
  struct Dependencies {
    const base::Clock& clock;
    base::Executor& executor;  // For reads that go to the disk.
    UsageLedger& ledger;       // Empty; the engine fills and keeps it.
    base::FileSystem& files;
    rocksdb::Env* env = nullptr;  // RocksDB's own files; null: the operating system's. For tests.
  };

  // Opens the store in `options.path`, or makes an empty one there. DATA_LOSS naming the file when
  // something of it is damaged or missing; FAILED_PRECONDITION when a newer Tarn wrote it. Nothing
  // is ever dropped to get it open.
  static absl::StatusOr<std::unique_ptr<RocksDbEngine>> Open(const RocksDbOptions& options,
                                                             const Dependencies& dependencies);

  ~RocksDbEngine() override;

  void Run(const Batch& batch, Completion done) override;
  absl::StatusOr<std::unique_ptr<Snapshot>> OpenSnapshot(SnapshotPurpose purpose) override;
  absl::StatusOr<std::unique_ptr<BulkLoad>> BeginBulkLoad() override;
  absl::StatusOr<SweepResult> SweepExpired(size_t max_entries) override;
  EngineStats Stats() const override;
  absl::StatusOr<std::optional<StoreMeta>> ReadMeta() override;
  absl::Status WriteMeta(const StoreMeta& meta) override;
  absl::string_view name() const override { return "rocksdb"; }
  absl::string_view durability() const override;

  // Reads everything and compares it with the usage records and the expiry index. DATA_LOSS saying
  // what differs. Takes as long as the store is large.
  absl::Status CheckConsistency();

 private:
  class Parts;

  explicit RocksDbEngine(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace tarn::storage
