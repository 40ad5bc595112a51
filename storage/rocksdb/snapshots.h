// The open snapshots: how many, how old, what they cost, and whose turn it is to end.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "rocksdb/iterator.h"
#include "rocksdb/snapshot.h"
#include "storage/base/clock.h"
#include "storage/engine.h"
#include "storage/rocksdb/database.h"
#include "storage/rocksdb/live_database.h"

namespace tarn::storage::rocks {

// What a cursor keeps between pages. It holds memory and files of the database.
using IteratorPtr = std::unique_ptr<rocksdb::Iterator>;

// One fixed state of the database, until it is ended: by its owner, or because of a limit.
// Thread-safe.
class SnapshotView {
 public:
  struct Identity {
    Revision revision = 0;
    base::UnixMs as_of = 0;
    SnapshotPurpose purpose = SnapshotPurpose::kScan;
    int64_t opened_ns = 0;
    uint64_t replaced_before = 0;  // The engine's count of replaced bytes when it was opened.
  };

  SnapshotView(std::shared_ptr<Database> database, const rocksdb::Snapshot* snapshot,
               const Identity& identity);
  ~SnapshotView();

  const Identity& identity() const { return identity_; }
  // From BeginPage to EndPage.
  const Database& database() const { return *database_; }
  const rocksdb::Snapshot* snapshot() const { return snapshot_; }

  // A cursor's place to leave its iterator between pages.
  using Parking = std::list<IteratorPtr>::iterator;
  Parking NewParking();
  void RemoveParking(Parking parking);

  // Begins a page: takes the parked iterator, which is null when there is none. ABORTED
  // (SNAPSHOT_EXPIRED) when the view was ended; else nothing of it goes away until EndPage.
  absl::StatusOr<IteratorPtr> BeginPage(Parking parking);
  void EndPage(Parking parking, IteratorPtr iterator);

  // See Snapshot::SplitKeys; none when the view was ended.
  std::vector<std::string> SplitKeys(NamespaceId ns, size_t parts);

  // From now on pages are refused; what the view holds is released as soon as no page needs it.
  void End();

 private:
  void Leave();
  void Release();

  std::shared_ptr<Database> database_;  // Until the snapshot is released.
  const rocksdb::Snapshot* const snapshot_;
  const Identity identity_;

  absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool released_ ABSL_GUARDED_BY(mutex_) = false;
  int uses_ ABSL_GUARDED_BY(mutex_) = 0;  // Pages and the like, under way.
  std::list<IteratorPtr> parked_ ABSL_GUARDED_BY(mutex_);
};

struct SnapshotLimits {
  size_t max_open = 256;
  absl::Duration max_scan_age = absl::Minutes(30);
  uint64_t max_bytes = uint64_t{4} << 30;
};

// Thread-safe.
class SnapshotRegistry {
 public:
  SnapshotRegistry(const LiveDatabase& database, const base::Clock& clock,
                   const SnapshotLimits& limits);

  absl::StatusOr<std::shared_ptr<SnapshotView>> Open(SnapshotPurpose purpose);
  void Close(const std::shared_ptr<SnapshotView>& view);

  // The writer tells what its commits replaced: it is kept while a snapshot shows it.
  void CountReplaced(uint64_t bytes);

  // Ends what is beyond the limits of age and bytes. Never waits for anybody.
  void Enforce();

  // Ends all, and opens no further one until Resume: the database is about to be closed.
  void EndAll();
  void Resume();

  size_t count() const { return open_.load(std::memory_order_relaxed); }
  // What had expired by then, no open snapshot shows; `now` when none is open.
  base::UnixMs ShownFrom(base::UnixMs now) const;
  // Estimate of what is kept for snapshots only.
  uint64_t kept_bytes() const;

 private:
  using Views = std::list<std::shared_ptr<SnapshotView>>;

  absl::Status TakePlace();
  absl::StatusOr<std::shared_ptr<SnapshotView>> MakeView(SnapshotPurpose purpose);
  // Takes the oldest with the purpose out of the list; null when there is none.
  std::shared_ptr<SnapshotView> TakeOldest(SnapshotPurpose purpose)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::shared_ptr<SnapshotView> TakeBeyondLimits() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remember() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const LiveDatabase& database_;
  const base::Clock& clock_;
  const SnapshotLimits limits_;

  std::atomic<uint64_t> replaced_{0};  // Bytes, while any snapshot was open.
  std::atomic<size_t> open_{0};
  // The oldest view's replaced_before: what Enforce looks at without the mutex.
  std::atomic<uint64_t> oldest_replaced_before_{0};
  std::atomic<int64_t> oldest_scan_opened_ns_{0};

  mutable absl::Mutex mutex_;
  Views views_ ABSL_GUARDED_BY(mutex_);         // The oldest first.
  size_t opening_ ABSL_GUARDED_BY(mutex_) = 0;  // Places taken by Open calls under way.
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tarn::storage::rocks
