#include "storage/rocksdb/rocksdb_engine.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rocksdb/cache.h"
#include "rocksdb/write_buffer_manager.h"
#include "storage/base/logging.h"
#include "storage/base/status.h"
#include "storage/rocksdb/answer.h"
#include "storage/rocksdb/bulk_load.h"
#include "storage/rocksdb/consistency.h"
#include "storage/rocksdb/cursor.h"
#include "storage/rocksdb/database.h"
#include "storage/rocksdb/disk_watch.h"
#include "storage/rocksdb/generations.h"
#include "storage/rocksdb/live_database.h"
#include "storage/rocksdb/log_check.h"
#include "storage/rocksdb/point_reader.h"
#include "storage/rocksdb/snapshots.h"
#include "storage/rocksdb/tuning.h"
#include "storage/rocksdb/writer.h"

namespace tarn::storage {
namespace {

using rocks::Database;
using rocks::ReadFrom;
using rocks::ReadOutcome;

class RocksDbSnapshot final : public Snapshot {
 public:
  RocksDbSnapshot(std::shared_ptr<rocks::SnapshotView> view, rocks::SnapshotRegistry& registry,
                  base::Executor& executor, rocks::InFlight& in_flight)
      : view_(std::move(view)), registry_(registry), executor_(executor), in_flight_(in_flight) {}
  ~RocksDbSnapshot() override { registry_.Close(view_); }

  Revision revision() const override { return view_->identity().revision; }
  base::UnixMs as_of() const override { return view_->identity().as_of; }
  std::unique_ptr<Cursor> NewCursor(const KeyRange& range, const ScanOptions& options) override {
    return std::make_unique<rocks::RocksDbCursor>(view_, range, options, executor_, in_flight_);
  }

 private:
  const std::shared_ptr<rocks::SnapshotView> view_;
  rocks::SnapshotRegistry& registry_;
  base::Executor& executor_;
  rocks::InFlight& in_flight_;
};

// A batch of reads on its way to the disk.
struct LateRead {
  Batch batch;
  Completion done;
};

uint64_t SumOf(rocksdb::DB& db, const std::string& property) {
  uint64_t sum = 0;
  db.GetAggregatedIntProperty(property, &sum);
  return sum;
}

absl::StatusOr<std::unique_ptr<Database>> OpenCurrent(const rocks::Machinery& machinery,
                                                      base::FileSystem& files,
                                                      rocks::Generations& generations) {
  const std::string path = generations.current_path();
  if (!generations.creating()) {
    TARN_RETURN_IF_ERROR(rocks::CheckLogs(files, path));
    return Database::Open(machinery, path);
  }
  TARN_ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                        Database::Create(machinery, path, rocks::DatabaseUse::kServing));
  TARN_RETURN_IF_ERROR(generations.FinishCreation());
  return database;
}

}  // namespace

// Everything the engine consists of. Members are destroyed from the last to the first.
class RocksDbEngine::Parts {
 public:
  Parts(const RocksDbOptions& options, const Dependencies& dependencies,
        const rocks::Machinery& machinery, std::unique_ptr<rocks::Generations> generations,
        std::unique_ptr<Database> database);
  ~Parts();

  // Takes over what the database says: usage, and where revisions go on.
  absl::Status Adopt();

  void Run(const Batch& batch, Completion done);
  absl::StatusOr<std::unique_ptr<Snapshot>> OpenSnapshot(SnapshotPurpose purpose);
  absl::StatusOr<std::unique_ptr<BulkLoad>> BeginBulkLoad();
  absl::StatusOr<SweepResult> SweepExpired(size_t max_entries);
  EngineStats Stats() const;
  absl::Status WriteMeta(const StoreMeta& meta);

  const RocksDbOptions& options() const { return options_; }
  std::shared_ptr<Database> database() const { return live_.Share(); }

 private:
  void ReadLater(const Batch& batch, Completion done);
  absl::Status CommitMeta(const StoreMeta& meta);
  absl::Status Replace(const std::string& path, const StoreMeta& meta);

  const RocksDbOptions options_;
  const Dependencies on_;
  const rocks::Machinery machinery_;
  const std::unique_ptr<rocks::Generations> generations_;
  rocks::LiveDatabase live_;
  std::atomic<uint64_t> earlier_errors_{0};  // Of databases that were replaced.

  RevisionSource revisions_{0};
  bool incarnation_started_ = false;  // The writer's thread's own.
  rocks::DiskWatch disk_;
  rocks::SnapshotRegistry snapshots_;
  const rocks::PointReader reader_;
  rocks::InFlight in_flight_;
  rocks::Writer writer_;
};

RocksDbEngine::Parts::Parts(const RocksDbOptions& options, const Dependencies& dependencies,
                            const rocks::Machinery& machinery,
                            std::unique_ptr<rocks::Generations> generations,
                            std::unique_ptr<Database> database)
    : options_(options),
      on_(dependencies),
      machinery_(machinery),
      generations_(std::move(generations)),
      live_(std::move(database)),
      disk_(on_.files, on_.clock, options_.path, options_.min_free_disk_bytes),
      snapshots_(
          live_, on_.clock,
          {options_.max_snapshots, options_.max_scan_snapshot_age, options_.max_snapshot_bytes}),
      reader_(options_.limits, on_.clock),
      writer_({live_, on_.clock, on_.ledger, revisions_, snapshots_, disk_}, options_) {}

RocksDbEngine::Parts::~Parts() { in_flight_.WaitForNone(); }

absl::Status RocksDbEngine::Parts::Adopt() {
  const Database& database = *live_;
  TARN_ASSIGN_OR_RETURN(const auto usage, database.ReadUsage(nullptr));
  TARN_ASSIGN_OR_RETURN(const Revision committed, database.ReadCommit(nullptr));
  on_.ledger.Clear();
  for (const auto& [ns, held] : usage) on_.ledger.Add(ns, held);
  writer_.SetCommitted(committed);
  return absl::OkStatus();
}

void RocksDbEngine::Parts::Run(const Batch& batch, Completion done) {
  if (!IsReadOnly(batch.operations)) return writer_.Submit(batch, std::move(done));
  const bool ordered = batch.read_order == ReadOrder::kSubmitted;
  if (ordered && !writer_.idle()) return writer_.Submit(batch, std::move(done));
  BatchResult result;
  if (reader_.Read(*live_, batch, ReadFrom::kMemory, result) == ReadOutcome::kAnswered) {
    return std::move(done)(result);
  }
  // In the executor it could see a write that its caller submits after it.
  if (ordered) return writer_.Submit(batch, std::move(done));
  ReadLater(batch, std::move(done));
}

void RocksDbEngine::Parts::ReadLater(const Batch& batch, Completion done) {
  const auto read = std::make_shared<LateRead>(LateRead{batch, std::move(done)});
  const absl::Status status =
      on_.executor.Submit([this, read, token = rocks::InFlight::Token(in_flight_)] {
        BatchResult result;
        reader_.Read(*live_, read->batch, ReadFrom::kDisk, result);
        std::move(read->done)(result);
      });
  if (status.ok()) return;
  BatchResult result;
  rocks::Refuse(result, status);
  std::move(read->done)(result);
}

absl::StatusOr<std::unique_ptr<Snapshot>> RocksDbEngine::Parts::OpenSnapshot(
    SnapshotPurpose purpose) {
  TARN_ASSIGN_OR_RETURN(std::shared_ptr<rocks::SnapshotView> view, snapshots_.Open(purpose));
  return std::make_unique<RocksDbSnapshot>(std::move(view), snapshots_, on_.executor, in_flight_);
}

absl::StatusOr<SweepResult> RocksDbEngine::Parts::SweepExpired(size_t max_entries) {
  return writer_.Do([&] { return writer_.sweeper().Sweep(on_.clock.Now(), max_entries); });
}

absl::Status RocksDbEngine::Parts::WriteMeta(const StoreMeta& meta) {
  return writer_.Do([&] { return CommitMeta(meta); });
}

absl::Status RocksDbEngine::Parts::CommitMeta(const StoreMeta& meta) {
  const Revision first = FirstRevision(meta.incarnation);
  const bool starts = !incarnation_started_;
  if (starts && first < writer_.committed()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "incarnation ", meta.incarnation, " cannot be started: the newest commit is of ",
        IncarnationOf(writer_.committed())));
  }
  rocksdb::WriteBatch batch;
  live_->PutStore(meta, batch);
  // Always: every commit has two operations, see log_check.cc.
  live_->PutCommit(starts ? first : writer_.committed(), batch);
  TARN_RETURN_IF_ERROR(live_->WriteDurably(batch));
  if (!starts) return absl::OkStatus();
  incarnation_started_ = true;
  revisions_.StartIncarnation(meta.incarnation);
  writer_.SetCommitted(first);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<BulkLoad>> RocksDbEngine::Parts::BeginBulkLoad() {
  TARN_ASSIGN_OR_RETURN(
      std::unique_ptr<Database> database,
      Database::Create(machinery_, generations_->NewPath(), rocks::DatabaseUse::kLoading));
  return std::make_unique<rocks::RocksDbBulkLoad>(
      on_.files, disk_, std::move(database),
      [this](const std::string& path, const StoreMeta& meta) {
        return writer_.Do([&] { return Replace(path, meta); });
      });
}

absl::Status RocksDbEngine::Parts::Replace(const std::string& path, const StoreMeta& meta) {
  // Opened before the switch: what cannot be opened must not be switched to.
  TARN_ASSIGN_OR_RETURN(std::shared_ptr<Database> database, Database::Open(machinery_, path));
  TARN_ASSIGN_OR_RETURN(const auto usage, database->ReadUsage(nullptr));
  TARN_ASSIGN_OR_RETURN(const Revision committed, database->ReadCommit(nullptr));
  if (const absl::Status status = generations_->SwitchTo(path); !status.ok()) {
    // A commit to the one that is not in use after the next start would be lost.
    if (status.code() == absl::StatusCode::kDataLoss) writer_.StopForGood(status.ToString());
    return status;
  }
  std::shared_ptr<Database> old = live_.Replace(std::move(database));
  on_.ledger.Clear();
  for (const auto& [ns, held] : usage) on_.ledger.Add(ns, held);
  incarnation_started_ = true;
  revisions_.StartIncarnation(meta.incarnation);
  writer_.SetCommitted(committed);
  writer_.sweeper().Restart();
  earlier_errors_ += old->health().errors();
  const std::string left = old->path();
  old.reset();
  const absl::Status removed = on_.files.RemoveRecursively(left);
  if (!removed.ok()) base::LogWarning("left for the next start: ", removed.message());
  return absl::OkStatus();
}

EngineStats RocksDbEngine::Parts::Stats() const {
  const std::shared_ptr<Database> database = live_.Share();
  rocksdb::DB& db = database->db();
  EngineStats stats;
  stats.revision = writer_.committed();
  stats.memory_bytes =
      machinery_.block_cache->GetUsage() + machinery_.write_buffers->memory_usage();
  stats.memory_limit_bytes = options_.memory_bytes;
  // The log holds about what the write buffers hold.
  stats.disk_bytes = SumOf(db, rocksdb::DB::Properties::kTotalSstFilesSize) +
                     SumOf(db, rocksdb::DB::Properties::kCurSizeAllMemTables);
  stats.disk_free_bytes = disk_.free_bytes();
  stats.snapshots = snapshots_.count();
  stats.snapshot_bytes = snapshots_.kept_bytes();
  stats.queued_batches = writer_.unfinished() + in_flight_.count();
  stats.queue_limit = options_.max_queued_batches;
  stats.errors = earlier_errors_ + database->health().errors();
  stats.writable = writer_.writable() && disk_.last_room() == rocks::Room::kEnough;
  return stats;
}

absl::StatusOr<std::unique_ptr<RocksDbEngine>> RocksDbEngine::Open(
    const RocksDbOptions& options, const Dependencies& dependencies) {
  TARN_ASSIGN_OR_RETURN(std::unique_ptr<rocks::Generations> generations,
                        rocks::Generations::Open(dependencies.files, options.path));
  const rocks::Machinery machinery = rocks::MakeMachinery(options, dependencies.env);
  TARN_ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                        OpenCurrent(machinery, dependencies.files, *generations));
  auto parts = std::make_unique<Parts>(options, dependencies, machinery, std::move(generations),
                                       std::move(database));
  TARN_RETURN_IF_ERROR(parts->Adopt());
  return std::unique_ptr<RocksDbEngine>(new RocksDbEngine(std::move(parts)));
}

RocksDbEngine::RocksDbEngine(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

RocksDbEngine::~RocksDbEngine() = default;

void RocksDbEngine::Run(const Batch& batch, Completion done) {
  parts_->Run(batch, std::move(done));
}

absl::StatusOr<std::unique_ptr<Snapshot>> RocksDbEngine::OpenSnapshot(SnapshotPurpose purpose) {
  return parts_->OpenSnapshot(purpose);
}

absl::StatusOr<std::unique_ptr<BulkLoad>> RocksDbEngine::BeginBulkLoad() {
  return parts_->BeginBulkLoad();
}

absl::StatusOr<SweepResult> RocksDbEngine::SweepExpired(size_t max_entries) {
  return parts_->SweepExpired(max_entries);
}

EngineStats RocksDbEngine::Stats() const { return parts_->Stats(); }

absl::StatusOr<std::optional<StoreMeta>> RocksDbEngine::ReadMeta() {
  return parts_->database()->ReadStore();
}

absl::Status RocksDbEngine::WriteMeta(const StoreMeta& meta) { return parts_->WriteMeta(meta); }

absl::string_view RocksDbEngine::durability() const {
  if (parts_->options().durability == Durability::kDisk) {
    return "An acknowledged write survives the end of the process and of the machine.";
  }
  return "An acknowledged write survives the end of the process, but perhaps not of the machine.";
}

absl::Status RocksDbEngine::CheckConsistency() {
  return rocks::CheckConsistency(*parts_->database());
}

}  // namespace tarn::storage
