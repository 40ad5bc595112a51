#include "tests/checkpoint/daemon.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "tests/support/status.h"

namespace tarn::testing {
namespace {

// Its cursors are told at once that the snapshot has ended.
class EndedSnapshot final : public storage::Snapshot {
 public:
  explicit EndedSnapshot(std::unique_ptr<storage::Snapshot> inner) : inner_(std::move(inner)) {}

  Revision revision() const override { return inner_->revision(); }
  UnixMs as_of() const override { return inner_->as_of(); }
  std::unique_ptr<storage::Cursor> NewCursor(const storage::KeyRange& range,
                                             const storage::ScanOptions& options) override {
    // The namespaces can still be read: it ends later.
    if (range.ns == storage::kSystemNamespace && system_readings_++ == 0)
      return inner_->NewCursor(range, options);
    return std::make_unique<EndedCursor>();
  }

 private:
  class EndedCursor final : public storage::Cursor {
   public:
    void Next(const storage::PageBudget&, UnixMs, storage::PageCompletion done) override {
      storage::Page page;
      std::move(done)(base::MakeError(absl::StatusCode::kAborted, base::Reason::kSnapshotExpired,
                                      "the snapshot has ended"),
                      page);
    }
  };

  const std::unique_ptr<storage::Snapshot> inner_;
  int system_readings_ = 0;
};

class DoctoredLoad final : public storage::BulkLoad {
 public:
  DoctoredLoad(DoctoredEngine& engine, std::unique_ptr<storage::BulkLoad> inner)
      : engine_(engine), inner_(std::move(inner)) {}

  absl::Status Add(absl::Span<const storage::EntryView> entries) override {
    if (!engine_.add.ok()) return engine_.add;
    if (std::exchange(engine_.loses_an_entry, false)) entries.remove_prefix(1);
    return inner_->Add(entries);
  }
  absl::Status Publish(const storage::StoreMeta& meta) override {
    return engine_.publish.ok() ? inner_->Publish(meta) : engine_.publish;
  }

 private:
  DoctoredEngine& engine_;
  const std::unique_ptr<storage::BulkLoad> inner_;
};

}  // namespace

void Recorder::OnCreated(const checkpoint::CreateReport& report) {
  Note(absl::StrCat("created ", ToString(report.info.id)));
}
void Recorder::OnConfirmed(const checkpoint::CreateReport& report) {
  Note(absl::StrCat("confirmed ", ToString(report.info.id)));
}
void Recorder::OnCreateFailed(const absl::Status& status) { Note("failed " + Brief(status)); }
void Recorder::OnRestored(const checkpoint::RestoreReport& report) {
  Note(absl::StrCat("restored ", ToString(report.info.id)));
}
void Recorder::OnRestoreFailed(const absl::Status& status) {
  Note("restore failed " + Brief(status));
}
void Recorder::OnQuarantined(const checkpoint::CheckpointId& id) {
  Note(absl::StrCat("quarantined ", ToString(id)));
}

void Recorder::Note(const std::string& line) {
  const absl::MutexLock lock(&mutex_);
  lines_.push_back(line);
}

std::vector<std::string> Recorder::Heard() {
  const absl::MutexLock lock(&mutex_);
  return std::exchange(lines_, {});
}

checkpoint::CheckpointerOptions Daemon::DefaultOptions() {
  checkpoint::CheckpointerOptions options;
  options.writer.threads = 1;
  options.writer.block_bytes = 500;
  return options;
}

Daemon::Daemon(Machine& machine, storage::Engine& engine, const storage::UsageLedger& ledger,
               const storage::StoreMeta& meta, const checkpoint::CheckpointerOptions& options) {
  catalog = Value(checkpoint::Catalog::Open(machine.files, "c", machine.clock, {.threads = 1}));
  const absl::Status bound = catalog->Bind(meta.store_id, "pid 1");
  if (!bound.ok()) throw std::runtime_error(bound.ToString());
  checkpointer = std::make_unique<checkpoint::Checkpointer>(
      checkpoint::Checkpointer::Dependencies{engine, ledger, *catalog, machine.clock, recorder},
      meta, options);
  restorer = std::make_unique<checkpoint::Restorer>(
      checkpoint::Restorer::Dependencies{engine, *catalog, machine.clock, recorder, 1});
}

absl::StatusOr<checkpoint::CreateReport> Daemon::Create(const checkpoint::CreateRequest& request) {
  return checkpointer->Create(request, progress);
}

absl::StatusOr<checkpoint::PreparedStart> Daemon::Prepare(const checkpoint::StartRules& rules,
                                                          const checkpoint::StartFacts& facts) {
  return restorer->Prepare(rules, facts, progress);
}

std::vector<std::string> Daemon::Names() const {
  std::vector<std::string> names;
  for (const checkpoint::CheckpointInfo& info : catalog->List()) names.push_back(ToString(info.id));
  return names;
}

void DoctoredEngine::Run(const storage::Batch& batch, storage::Completion done) {
  if (on_batch) on_batch();
  if (!batches_left || (*batches_left)-- > 0) return inner_.Run(batch, std::move(done));
  storage::BatchResult result;
  result.status = absl::ResourceExhaustedError("no more batches");
  std::move(done)(result);
}

absl::StatusOr<std::unique_ptr<storage::Snapshot>> DoctoredEngine::OpenSnapshot(
    storage::SnapshotPurpose purpose) {
  if (!open_snapshot.ok()) return open_snapshot;
  auto snapshot = inner_.OpenSnapshot(purpose);
  if (!snapshot.ok() || expiring_snapshots == 0) return snapshot;
  --expiring_snapshots;
  return std::make_unique<EndedSnapshot>(*std::move(snapshot));
}

absl::StatusOr<std::unique_ptr<storage::BulkLoad>> DoctoredEngine::BeginBulkLoad() {
  if (!begin_bulk_load.ok()) return begin_bulk_load;
  auto load = inner_.BeginBulkLoad();
  if (!load.ok()) return load;
  return std::make_unique<DoctoredLoad>(*this, *std::move(load));
}

storage::EngineStats DoctoredEngine::Stats() const {
  storage::EngineStats stats = inner_.Stats();
  if (disk_free_bytes) stats.disk_free_bytes = *disk_free_bytes;
  return stats;
}

}  // namespace tarn::testing
