// Which snapshots of the memory engine are open: what writers, the sweeper and the collector must
// respect.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "storage/base/clock.h"
#include "storage/engine.h"
#include "storage/revision.h"

namespace tarn::storage::memory {

// One open snapshot. Shared between the registry and the snapshot's owner.
struct OpenedSnapshot {
  Revision revision = 0;
  base::UnixMs as_of = 0;
  SnapshotPurpose purpose = SnapshotPurpose::kScan;
  uint64_t serial = 0;               // Unique. 0 is none.
  std::atomic<bool> expired{false};  // Ended by the engine: its images may be gone.
};

// What a writer must keep of what it replaces.
struct ImageNeeds {
  uint64_t consumer = 0;      // See SnapshotRegistry::consumer.
  Revision newest = 0;        // Of all open snapshots; 0 without any.
  Revision newest_other = 0;  // Without the consumer.
};

// Thread-safe.
//
// At most one open snapshot is the consumer: the first checkpoint's that was opened while there was
// none. What it has passed (see PassedRanges) need not be kept for it, so that a checkpoint's
// memory does not grow with what is written behind it.
class SnapshotRegistry {
 public:
  struct Options {
    size_t max_snapshots = 256;  // Each makes writers keep one image of a key at most.
  };

  SnapshotRegistry(const Options& options, const RevisionSource& revisions,
                   const base::Clock& clock)
      : options_(options), revisions_(revisions), clock_(clock) {}

  // Fixes a view at the newest revision. RESOURCE_EXHAUSTED (TOO_MANY_SNAPSHOTS) at the limit, when
  // no scan's can be ended.
  absl::StatusOr<std::shared_ptr<OpenedSnapshot>> Open(SnapshotPurpose purpose);
  void Close(const OpenedSnapshot& snapshot);

  // Ends the oldest scan's, or when there is none, the oldest of all.
  void ExpireOldest();

  // A writer that took its revision, and only then asks this, must keep the image of every entry it
  // replaces whose revision is at most `newest_other`; and at most `newest`, unless the consumer
  // has passed its key.
  ImageNeeds needs() const {
    // In this order: a consumer that is opened in between shows what the writer writes.
    ImageNeeds needs;
    needs.consumer = consumer_.load(std::memory_order_seq_cst);
    needs.newest = newest_.load(std::memory_order_seq_cst);
    needs.newest_other = newest_other_.load(std::memory_order_seq_cst);
    return needs;
  }

  Revision newest() const { return newest_.load(std::memory_order_seq_cst); }

  // Whether `snapshot` is the consumer and the only one that is open. With the lock of a shard
  // held: nobody else, now or later, asks for the images that the shard keeps.
  bool IsAlone(const OpenedSnapshot& snapshot) const {
    return consumer_.load(std::memory_order_seq_cst) == snapshot.serial &&
           newest_other_.load(std::memory_order_seq_cst) == 0;
  }
  bool IsConsumer(const OpenedSnapshot& snapshot) const {
    return consumer_.load(std::memory_order_seq_cst) == snapshot.serial;
  }

  // Images replaced at or before this revision are needed by nobody. Asked with the lock of the
  // shard held that keeps them.
  Revision oldest() const { return oldest_.load(std::memory_order_seq_cst); }

  // Entries whose deadline is at or before this are shown by no snapshot.
  base::UnixMs sweep_horizon() const;

  size_t size() const;

 private:
  static constexpr Revision kAll = std::numeric_limits<Revision>::max();

  bool ExpireOldestLocked(SnapshotPurpose purpose) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PublishBounds() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const RevisionSource& revisions_;
  const base::Clock& clock_;
  std::atomic<uint64_t> consumer_{0};  // A serial number.
  std::atomic<Revision> newest_{0};
  std::atomic<Revision> newest_other_{0};
  std::atomic<Revision> oldest_{kAll};

  mutable absl::Mutex mutex_;
  // In the order of opening, which is that of revisions and times.
  std::vector<std::shared_ptr<OpenedSnapshot>> open_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_serial_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tarn::storage::memory
