// Brings a checkpoint back into an engine.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "checkpoint/catalog.h"
#include "checkpoint/observer.h"
#include "checkpoint/progress.h"
#include "checkpoint/reader.h"
#include "checkpoint/start_decision.h"
#include "storage/base/clock.h"
#include "storage/engine.h"

namespace tarn::checkpoint {

class Restorer;

// A checkpoint that has been verified to the last byte and loaded beside what the engine holds, and
// is not in its place yet. Destroyed unpublished, it leaves no trace. The restorer outlives it.
class LoadedCheckpoint {
 public:
  const CheckpointInfo& info() const { return info_; }

  // The lowest that Publish may be given: revisions never go back.
  storage::Incarnation min_incarnation() const {
    return storage::IncarnationOf(info_.header.revision) + 1;
  }

  // Puts it in the place of what the engine holds, as `meta.incarnation`, and then reads everything
  // back from the engine and compares its digest with the file's. Nothing may be under way on the
  // engine. FAILED_PRECONDITION below min_incarnation, and the engine's errors: the old content
  // stays. DATA_LOSS when what is read back differs: it must not be served.
  // Cannot be cancelled.
  absl::Status Publish(const storage::StoreMeta& meta, Progress& progress) &&;

 private:
  friend class Restorer;
  LoadedCheckpoint(const Restorer& restorer, CheckpointInfo info,
                   std::unique_ptr<CheckpointReader> reader,
                   std::unique_ptr<storage::BulkLoad> load, int64_t begun)
      : restorer_(&restorer),
        info_(std::move(info)),
        reader_(std::move(reader)),
        load_(std::move(load)),
        begun_(begun) {}

  absl::Status Switch(const storage::StoreMeta& meta, Progress& progress);
  absl::Status CheckReadBack() const;

  const Restorer* restorer_;
  CheckpointInfo info_;
  std::unique_ptr<CheckpointReader> reader_;
  std::unique_ptr<storage::BulkLoad> load_;
  int64_t begun_;
};

// One that was passed over for an older one.
struct SkippedCheckpoint {
  CheckpointId id;
  absl::Status why;
};

// What was decided, and what was loaded when that is to restore.
struct PreparedStart {
  StartDecision decision;
  std::optional<LoadedCheckpoint> loaded;
  std::vector<SkippedCheckpoint> skipped;
};

// Blocks; each function on whichever thread calls it, and several at once. The catalog is bound.
class Restorer {
 public:
  struct Dependencies {
    storage::Engine& engine;
    Catalog& catalog;
    const base::Clock& clock;
    CheckpointObserver& observer;
    int threads = 2;  // Reading back. Verifying and loading take as many as the catalog's readers.
  };

  explicit Restorer(const Dependencies& dependencies) : dependencies_(dependencies) {}

  // Proves every byte and that it could be restored; changes nothing, except that a damaged one is
  // quarantined. NOT_FOUND, DATA_LOSS.
  absl::Status Verify(const CheckpointId& id, Progress& progress) const;

  // Verifies one and loads it. Besides: RESOURCE_EXHAUSTED when there is no room for it. A damaged
  // one is quarantined.
  absl::StatusOr<LoadedCheckpoint> Load(const CheckpointId& id, Progress& progress) const;

  // Decides what to do and, when that is to restore, loads this store's newest checkpoint that is
  // valid to the last byte, quarantining bad ones and deciding anew after each. What the catalog
  // holds is looked up, whatever `facts` say. When the decision is to refuse: DATA_LOSS (none is
  // valid), FAILED_PRECONDITION with NEWER_FORMAT, or without a reason when newer commits would be
  // lost; the message names each that was skipped, and why.
  absl::StatusOr<PreparedStart> Prepare(const StartRules& rules, StartFacts facts,
                                        Progress& progress) const;

 private:
  friend class LoadedCheckpoint;

  // Why a checkpoint could not be loaded, and whose fault that is.
  struct Failure {
    enum class Blame { kCheckpoint, kEngine };
    absl::Status status;
    Blame blame = Blame::kCheckpoint;
  };
  struct Attempt {
    std::optional<LoadedCheckpoint> loaded;
    Failure failure;  // When nothing was loaded.
  };

  // What the catalog has for a restore of the latest.
  struct Offer {
    CatalogContent content = CatalogContent::kNothing;
    std::optional<CheckpointInfo> newest;
  };

  Offer Look(const std::set<CheckpointId>& tried) const;
  void PassOver(const CheckpointId& id, const absl::Status& why, PreparedStart& prepared,
                std::set<CheckpointId>& tried) const;
  void PassOverBadHeads(const Offer& offer, PreparedStart& prepared,
                        std::set<CheckpointId>& tried) const;
  Attempt TryLoad(const CheckpointInfo& info, Progress& progress) const;
  absl::StatusOr<std::unique_ptr<CheckpointReader>> OpenReader(const CheckpointInfo& info,
                                                               Progress& progress) const;
  absl::Status CheckRoom(const Header& header) const;
  void QuarantineIfDamaged(const CheckpointId& id, const absl::Status& status) const;

  const Dependencies dependencies_;
};

}  // namespace tarn::checkpoint
