// As much of a daemon as makes and restores checkpoints, on a machine that outlives it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "checkpoint/catalog.h"
#include "checkpoint/checkpointer.h"
#include "checkpoint/observer.h"
#include "checkpoint/restorer.h"
#include "tests/checkpoint/world.h"
#include "tests/support/fault_file_system.h"

namespace tarn::testing {

// Writes down what it hears.
class Recorder final : public checkpoint::CheckpointObserver {
 public:
  void OnCreated(const checkpoint::CreateReport& report) override;
  void OnConfirmed(const checkpoint::CreateReport& report) override;
  void OnCreateFailed(const absl::Status& status) override;
  void OnRestored(const checkpoint::RestoreReport& report) override;
  void OnRestoreFailed(const absl::Status& status) override;
  void OnQuarantined(const checkpoint::CheckpointId& id) override;

  // "created 00000007-0000000001", "failed RESOURCE_EXHAUSTED DISK_FULL", ... since the last call.
  std::vector<std::string> Heard();

 private:
  void Note(const std::string& line);

  absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

struct Machine {
  FaultFileSystem files;
  base::ManualClock clock{kStart};
};

// A catalog "c" over `engine`, which is its caller's. Throws when the catalog cannot be opened.
class Daemon {
 public:
  Daemon(Machine& machine, storage::Engine& engine, const storage::UsageLedger& ledger,
         const storage::StoreMeta& meta = {kStoreA, 7},
         const checkpoint::CheckpointerOptions& options = DefaultOptions());

  static checkpoint::CheckpointerOptions DefaultOptions();

  absl::StatusOr<checkpoint::CreateReport> Create(const checkpoint::CreateRequest& request = {});
  // As the daemon does at its start.
  absl::StatusOr<checkpoint::PreparedStart> Prepare(const checkpoint::StartRules& rules = {},
                                                    const checkpoint::StartFacts& facts = {});

  // Ids of the published ones.
  std::vector<std::string> Names() const;

  Recorder recorder;
  std::unique_ptr<checkpoint::Catalog> catalog;
  std::unique_ptr<checkpoint::Checkpointer> checkpointer;
  std::unique_ptr<checkpoint::Restorer> restorer;
  checkpoint::Progress progress;
};

// An engine that passes everything on, and some of it not: what is set here happens first.
class DoctoredEngine final : public storage::Engine {
 public:
  explicit DoctoredEngine(storage::Engine& inner) : inner_(inner) {}

  int expiring_snapshots = 0;    // So many snapshots are ended while they are read.
  absl::Status open_snapshot;    // What OpenSnapshot says.
  absl::Status begin_bulk_load;  // ...and so on.
  absl::Status add;
  absl::Status publish;
  bool loses_an_entry = false;              // A bulk load forgets one.
  std::optional<uint64_t> disk_free_bytes;  // Lives on a disk with so much room.
  std::optional<int> batches_left;          // Fails every batch after so many more.

  std::function<void()> on_batch;

  void Run(const storage::Batch& batch, storage::Completion done) override;
  absl::StatusOr<std::unique_ptr<storage::Snapshot>> OpenSnapshot(
      storage::SnapshotPurpose purpose) override;
  absl::StatusOr<std::unique_ptr<storage::BulkLoad>> BeginBulkLoad() override;
  absl::StatusOr<storage::SweepResult> SweepExpired(size_t max_entries) override {
    return inner_.SweepExpired(max_entries);
  }
  storage::EngineStats Stats() const override;
  absl::StatusOr<std::optional<storage::StoreMeta>> ReadMeta() override {
    return inner_.ReadMeta();
  }
  absl::Status WriteMeta(const storage::StoreMeta& meta) override { return inner_.WriteMeta(meta); }
  bool completes_inline() const override { return inner_.completes_inline(); }
  bool starts_empty() const override { return !disk_free_bytes && inner_.starts_empty(); }
  absl::string_view name() const override { return "doctored"; }
  absl::string_view durability() const override { return inner_.durability(); }

 private:
  storage::Engine& inner_;
};

}  // namespace tarn::testing
