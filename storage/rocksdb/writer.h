// The one thread that writes: it orders all commits.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "rocksdb/options.h"
#include "storage/base/clock.h"
#include "storage/batch.h"
#include "storage/revision.h"
#include "storage/rocksdb/commit_group.h"
#include "storage/rocksdb/commit_queue.h"
#include "storage/rocksdb/disk_watch.h"
#include "storage/rocksdb/live_database.h"
#include "storage/rocksdb/recovery.h"
#include "storage/rocksdb/rocksdb_options.h"
#include "storage/rocksdb/snapshots.h"
#include "storage/rocksdb/sweeper.h"
#include "storage/usage.h"

namespace tarn::storage::rocks {

// Takes all batches that wait, judges them in order, writes their changes with one write to the
// log, and completes them. After a failed write it takes no more until RocksDB has been resumed,
// which it tries by itself. Public functions are thread-safe.
class Writer {
 public:
  struct Dependencies {
    const LiveDatabase& database;
    const base::Clock& clock;
    UsageLedger& ledger;
    RevisionSource& revisions;
    SnapshotRegistry& snapshots;
    DiskWatch& disk;
  };

  // Runs on the writer's thread: see Recovery.
  using Reopen = Recovery::Reopen;

  // How often it looks after limits and failures when nothing else happens.
  static constexpr absl::Duration kTick = absl::Seconds(1);

  Writer(const Dependencies& dependencies, const RocksDbOptions& options, Reopen reopen);

  // Completes what was submitted.
  ~Writer();

  // RESOURCE_EXHAUSTED (QUEUE_FULL) when too much waits.
  void Submit(const Batch& batch, Completion done);

  // Whether every batch submitted so far has taken effect.
  bool idle() const { return queue_.idle(); }
  size_t unfinished() const { return queue_.unfinished(); }

  // Runs `work` between two commits, on the writer's thread, and waits for it.
  template <typename Work>
  auto Do(Work&& work) -> decltype(work());

  // On the writer's thread: see Do. Why no write can be taken now; OK when it can. Tries to
  // recover.
  absl::Status Refusal();
  // On the writer's thread: something else than a commit failed to write.
  void NoticeFailure() { recovery_.Notice(); }
  // On the writer's thread.
  Sweeper& sweeper() { return sweeper_; }
  // On the writer's thread: no write is taken any more, for good.
  void StopForGood(std::string cause) { stopped_cause_ = std::move(cause); }

  // Whether writes are taken; not whether there is room for growth.
  bool writable() const { return writable_.load(std::memory_order_relaxed); }

  // The newest commit's revision.
  Revision committed() const { return committed_.load(std::memory_order_acquire); }
  // On the writer's thread, or before the first commit: where the next commits follow.
  void SetCommitted(Revision revision) { committed_.store(revision, std::memory_order_release); }

 private:
  void Loop();
  void Commit(Submissions group);
  rocksdb::Status Write();
  void Fail(const Submissions& group, const rocksdb::Status& status);
  static void RefuseAll(const Submissions& group, const absl::Status& status);
  void CheckUp();
  void SyncLog();

  const Dependencies on_;
  const Limits limits_;
  const rocksdb::WriteOptions write_options_;
  CommitQueue queue_;
  std::atomic<bool> writable_{true};
  std::atomic<Revision> committed_{0};

  // The writer's thread's own.
  Recovery recovery_;
  Sweeper sweeper_;
  std::optional<std::string> stopped_cause_;
  CommitGroup group_;
  rocksdb::WriteBatch batch_;

  std::thread thread_;  // The last member: it uses all others.
};

template <typename Work>
auto Writer::Do(Work&& work) -> decltype(work()) {
  std::optional<decltype(work())> result;
  absl::Notification done;
  queue_.PushTask([&] {
    result.emplace(work());
    done.Notify();
  });
  done.WaitForNotification();
  return *std::move(result);
}

}  // namespace tarn::storage::rocks
