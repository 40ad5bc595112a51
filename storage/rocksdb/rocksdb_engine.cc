#include "storage/rocksdb/rocksdb_engine.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

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
#include "storage/rocksdb/rocksdb_status.h"
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
  std::vector<std::string> SplitKeys(NamespaceId ns, size_t parts) override {
    return view_->SplitKeys(ns, parts);
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
  ReadOutcome ReadFromMemory(const Batch& batch, BatchResult& result);
  void ReadFromDisk(const Batch& batch, BatchResult& result);
  void ReadLater(const Batch& batch, Completion done);
  absl::Status CommitMeta(const StoreMeta& meta);
  absl::Status Replace(const std::string& path, const StoreMeta& meta);
  void Reopen();
  std::unique_ptr<Database> OpenAsWellAsPossible();

  const RocksDbOptions options_;
  const Dependencies on_;
  const rocks::Machinery machinery_;
  const std::unique_ptr<rocks::Generations> generations_;
  rocks::LiveDatabase live_;

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
      writer_({live_, on_.clock, on_.ledger, revisions_, snapshots_, disk_}, options_,
              [this] { Reopen(); }) {}

RocksDbEngine::Parts::~Parts() { in_flight_.WaitForNone(); }

absl::Status RocksDbEngine::Parts::Adopt() {
  const Database& database = *live_.get();
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
  if (ReadFromMemory(batch, result) == ReadOutcome::kAnswered) return std::move(done)(result);
  // In the executor it could see a write that its caller submits after it.
  if (ordered) return writer_.Submit(batch, std::move(done));
  ReadLater(batch, std::move(done));
}

ReadOutcome RocksDbEngine::Parts::ReadFromMemory(const Batch& batch, BatchResult& result) {
  const rocks::LiveDatabase::Pin database(live_);
  if (database) return reader_.Read(*database, batch, ReadFrom::kMemory, result);
  rocks::Refuse(result, rocks::NotOpen());
  return ReadOutcome::kAnswered;
}

void RocksDbEngine::Parts::ReadFromDisk(const Batch& batch, BatchResult& result) {
  const rocks::LiveDatabase::Pin database(live_);
  if (!database) return rocks::Refuse(result, rocks::NotOpen());
  reader_.Read(*database, batch, ReadFrom::kDisk, result);
}

void RocksDbEngine::Parts::ReadLater(const Batch& batch, Completion done) {
  const auto read = std::make_shared<LateRead>(LateRead{batch, std::move(done)});
  const absl::Status status =
      on_.executor.Submit([this, read, token = rocks::InFlight::Token(in_flight_)] {
        BatchResult result;
        ReadFromDisk(read->batch, result);
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
  return writer_.Do([&]() -> absl::StatusOr<SweepResult> {
    TARN_RETURN_IF_ERROR(writer_.Refusal());
    absl::StatusOr<SweepResult> result = writer_.sweeper().Sweep(on_.clock.Now(), max_entries);
    if (!result.ok()) writer_.NoticeFailure();
    return result;
  });
}

absl::Status RocksDbEngine::Parts::WriteMeta(const StoreMeta& meta) {
  return writer_.Do([&] {
    const absl::Status status = CommitMeta(meta);
    if (!status.ok()) writer_.NoticeFailure();
    return status;
  });
}

absl::Status RocksDbEngine::Parts::CommitMeta(const StoreMeta& meta) {
  const Revision first = FirstRevision(meta.incarnation);
  const bool starts = !incarnation_started_;
  if (starts && first < writer_.committed()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "incarnation ", meta.incarnation, " cannot be started: the newest commit is of ",
        IncarnationOf(writer_.committed())));
  }
  if (live_.get() == nullptr) return rocks::NotOpen();
  const Database& database = *live_.get();
  rocksdb::WriteBatch batch;
  database.PutStore(meta, batch);
  if (starts) database.PutCommit(first, batch);
  TARN_RETURN_IF_ERROR(database.WriteDurably(batch));
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
  TARN_ASSIGN_OR_RETURN(std::unique_ptr<Database> database, Database::Open(machinery_, path));
  const std::string old = generations_->current_path();
  if (const absl::Status status = generations_->SwitchTo(path); !status.ok()) {
    // A commit to the one that is not in use after the next start would be lost.
    if (status.code() == absl::StatusCode::kDataLoss) writer_.StopForGood(status.ToString());
    return status;
  }
  snapshots_.EndAll();  // There should be none, and nothing must wait for one.
  live_.Close();
  live_.Open(std::move(database));
  snapshots_.Resume();
  incarnation_started_ = true;
  revisions_.StartIncarnation(meta.incarnation);
  writer_.sweeper().Restart();
  const absl::Status removed = on_.files.RemoveRecursively(old);
  if (!removed.ok()) base::LogWarning("left for the next start: ", removed.message());
  return Adopt();
}

// On the writer's thread, after a failure. Scans end; reads find nothing open for as long as it
// takes.
void RocksDbEngine::Parts::Reopen() {
  snapshots_.EndAll();
  live_.Close();
  std::unique_ptr<Database> database = OpenAsWellAsPossible();
  if (database == nullptr) return;
  live_.Open(std::move(database));
  snapshots_.Resume();
  const absl::Status adopted = Adopt();
  if (!adopted.ok()) writer_.StopForGood(adopted.ToString());
}

std::unique_ptr<Database> RocksDbEngine::Parts::OpenAsWellAsPossible() {
  auto database = OpenCurrent(machinery_, on_.files, *generations_);
  if (database.ok()) return *std::move(database);
  const std::string cause = database.status().ToString();
  base::LogError("rocksdb: not opened again: ", cause);
  database = Database::OpenReadOnly(machinery_, generations_->current_path(), cause);
  if (database.ok()) return *std::move(database);
  base::LogError("rocksdb: not even for reading: ", database.status().ToString());
  return nullptr;
}

EngineStats RocksDbEngine::Parts::Stats() const {
  EngineStats stats;
  stats.revision = writer_.committed();
  stats.memory_bytes =
      machinery_.block_cache->GetUsage() + machinery_.write_buffers->memory_usage();
  stats.memory_limit_bytes = options_.memory_bytes;
  if (const std::shared_ptr<Database> database = live_.Share(); database != nullptr) {
    // The log holds about what the write buffers hold.
    stats.disk_bytes = SumOf(database->db(), rocksdb::DB::Properties::kTotalSstFilesSize) +
                       SumOf(database->db(), rocksdb::DB::Properties::kCurSizeAllMemTables);
  }
  stats.disk_free_bytes = disk_.free_bytes();
  stats.snapshots = snapshots_.count();
  stats.snapshot_bytes = snapshots_.kept_bytes();
  stats.queued_batches = writer_.unfinished() + in_flight_.count();
  stats.queue_limit = options_.max_queued_batches;
  stats.errors = *machinery_.errors;
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
  const std::shared_ptr<Database> database = parts_->database();
  if (database == nullptr) return rocks::NotOpen();
  return database->ReadStore();
}

absl::Status RocksDbEngine::WriteMeta(const StoreMeta& meta) { return parts_->WriteMeta(meta); }

absl::string_view RocksDbEngine::durability() const {
  if (parts_->options().durability == Durability::kDisk) {
    return "An acknowledged write survives the end of the process and of the machine.";
  }
  return "An acknowledged write survives the end of the process, but perhaps not of the machine.";
}

absl::Status RocksDbEngine::CheckConsistency() {
  const std::shared_ptr<Database> database = parts_->database();
  return database == nullptr ? rocks::NotOpen() : rocks::CheckConsistency(*database);
}

}  // namespace tarn::storage
