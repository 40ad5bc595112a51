// The directory of checkpoints.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "checkpoint/catalog_directory.h"
#include "checkpoint/checkpoint_id.h"
#include "storage/base/clock.h"
#include "storage/base/file_system.h"

namespace tarn::checkpoint {

// Knows the checkpoints in a directory, in the order of their ids and never of their times. What is
// not published under its final name does not exist. A damaged checkpoint is listed as what it is,
// and is in nobody's way.
//
// One daemon has it at a time (see Bind). Thread-safe; everything but List, Get, Newest and the
// like may block on the file system.
class Catalog {
 public:
  // A checkpoint on its way into the catalog: a temporary file under an id that nothing else will
  // ever have. Abandoned, and its file removed, when destroyed unpublished.
  class Draft {
   public:
    Draft(Draft&& other) noexcept
        : catalog_(std::exchange(other.catalog_, nullptr)), id_(std::move(other.id_)) {}
    Draft& operator=(Draft&&) = delete;
    ~Draft();

    const CheckpointId& id() const { return id_; }
    std::string path() const;

    // The file is written and synced: proves its head once more, gives it its name, durably. After
    // an error it is not in the catalog.
    absl::StatusOr<CheckpointInfo> Publish() &&;

   private:
    friend class Catalog;
    Draft(Catalog& catalog, CheckpointId id) : catalog_(&catalog), id_(std::move(id)) {}

    Catalog* catalog_;
    CheckpointId id_;
  };

  // Creates the directory if need be, and looks at the head of every checkpoint. Changes nothing
  // else, so that one may look at a catalog that belongs to another daemon.
  static absl::StatusOr<std::unique_ptr<Catalog>> Open(base::FileSystem& files,
                                                       const std::string& path,
                                                       const base::Clock& clock,
                                                       const ReaderOptions& options);

  // --- identity ---

  // Whose catalog it is: what the directory says, else what its newest intact checkpoint says;
  // nothing when it says nothing, as at the very first start.
  std::optional<std::string> store_id() const;

  // The highest that any checkpoint of this store was made in, damaged and quarantined ones
  // included; 0 without any. The next incarnation must be above it.
  storage::Incarnation HighestIncarnation() const;

  // Makes it the catalog of this store and of this process, and sweeps what was never published.
  // Before anything that changes it. FAILED_PRECONDITION naming both when it is another store's, or
  // naming the holder when another process has it.
  absl::Status Bind(absl::string_view store_id, absl::string_view holder);

  // --- looking ---

  // In ascending order of ids: this store's from oldest to newest, then those of other stores.
  std::vector<CheckpointInfo> List() const;
  // NOT_FOUND.
  absl::StatusOr<CheckpointInfo> Get(const CheckpointId& id) const;
  // This store's newest intact one, as far as its head tells.
  std::optional<CheckpointInfo> Newest() const;
  // Those whose file is set aside as <id>.ckpt.corrupt.
  std::vector<CheckpointId> Quarantined() const;

  // Looks at its head again: NOT_FOUND, and it is out of the list, when somebody removed it.
  absl::StatusOr<CheckpointInfo> Refresh(const CheckpointId& id);

  absl::StatusOr<base::DiskSpace> Space() const;

  // --- changing ---

  // The next sequence number of `incarnation`. Never given twice, whatever becomes of the draft.
  Draft NewDraft(storage::Incarnation incarnation);
  // For a file that has its id already. ALREADY_EXISTS when there is such a checkpoint or draft.
  absl::StatusOr<Draft> NewDraft(const CheckpointId& id);

  // Retention and Delete leave it alone from now on. Replaces an earlier reason. INVALID_ARGUMENT
  // (see CheckPinReason), NOT_FOUND.
  absl::Status SetPin(const CheckpointId& id, absl::string_view reason);
  absl::Status ClearPin(const CheckpointId& id);

  // Removes a published or a quarantined one. FAILED_PRECONDITION when it is pinned, or the only
  // intact one of this store. NOT_FOUND.
  absl::Status Delete(const CheckpointId& id);

  // Sets a bad one aside, and says why in the log: it is no longer listed, and never restored.
  absl::Status Quarantine(const CheckpointId& id, const absl::Status& why);

  // Removes what failed attempts could not remove themselves.
  absl::Status Sweep();

  const CatalogDirectory& directory() const { return directory_; }

 private:
  Catalog(CatalogDirectory directory, const base::Clock& clock)
      : directory_(std::move(directory)), clock_(clock) {}

  absl::Status Load();
  absl::Status LoadStore();
  absl::Status CheckStore(absl::string_view store_id) const;
  absl::Status WriteStoreOnce(absl::string_view store_id);
  void TidyUp();
  void SweepPins();
  absl::StatusOr<CheckpointInfo> PublishDraft(const CheckpointId& id);
  void AbandonDraft(const CheckpointId& id);
  void Put(CheckpointInfo info);
  void Drop(const CheckpointId& id);
  absl::Status CheckDeletable(const CheckpointId& id) const;
  void NoteNumber(const CheckpointId& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  const CheckpointInfo* NewestLocked() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  const CatalogDirectory directory_;
  const base::Clock& clock_;

  // Guards the directory itself: held over the file operations of one change, so that a pin and a
  // deletion, say, cannot pass each other. Whoever only looks never waits for it.
  absl::Mutex changing_ ABSL_ACQUIRED_BEFORE(mutex_);
  std::unique_ptr<base::FileLock> lock_ ABSL_GUARDED_BY(changing_);

  mutable absl::Mutex mutex_;
  std::optional<std::string> store_id_ ABSL_GUARDED_BY(mutex_);
  std::map<CheckpointId, CheckpointInfo> checkpoints_ ABSL_GUARDED_BY(mutex_);
  std::set<CheckpointId> quarantined_ ABSL_GUARDED_BY(mutex_);
  std::set<CheckpointId> drafts_ ABSL_GUARDED_BY(mutex_);
  std::map<storage::Incarnation, uint64_t> last_sequences_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::checkpoint
