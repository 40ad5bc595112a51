// Walks a range of a snapshot, on the caller's thread as long as everything is in memory.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "rocksdb/iterator.h"
#include "rocksdb/options.h"
#include "storage/base/executor.h"
#include "storage/rocksdb/live_database.h"
#include "storage/rocksdb/snapshots.h"
#include "storage/snapshot.h"

namespace tarn::storage::rocks {

// See storage/snapshot.h for threads and lifetime.
class RocksDbCursor final : public Cursor {
 public:
  // A caller that asks for the next page from within the completion of the one before goes deeper
  // with every page that is answered at once. So one in so many is not.
  static constexpr int kMaxPagesAtOnce = 32;
  // Passing over so many expired entries is no longer quick.
  static constexpr size_t kMaxSkippedAtOnce = 4096;

  // Executor and counter outlive it.
  RocksDbCursor(std::shared_ptr<SnapshotView> view, const KeyRange& range,
                const ScanOptions& options, base::Executor& executor, InFlight& in_flight);
  ~RocksDbCursor() override;

  void Next(const PageBudget& budget, base::UnixMs now, PageCompletion done) override;

 private:
  struct Request;
  enum class Progress { kComplete, kNeedsExecutor };

  rocksdb::ReadOptions MakeReadOptions() const;
  void Position(rocksdb::Iterator& it) const;
  void Step(rocksdb::Iterator& it) const;

  // Fills the request's page as far as it may on this thread.
  Progress Work(Request& request);
  Progress Fill(Request& request);
  Progress AddEntries(Request& request, size_t max_skipped);
  Progress AtEnd(Request& request);
  void RememberPosition(const Page& page);
  void TakeBack(Request& request);
  // In between, the snapshot may end.
  void HandOver(std::shared_ptr<Request> request);

  const std::shared_ptr<SnapshotView> view_;
  base::Executor& executor_;
  InFlight& in_flight_;
  const ScanOptions options_;
  const std::string lower_;  // Entry keys: from here
  const std::string upper_;  // to before here.
  const rocksdb::Slice lower_slice_;
  const rocksdb::Slice upper_slice_;
  const SnapshotView::Parking parking_;

  // What is not in memory once is expected not to be again: the rest is read in the executor.
  bool in_memory_ = true;
  int pages_at_once_ = 0;
  // Where to go on when there is no iterator: the last key passed; empty at the start.
  std::string position_;
};

}  // namespace tarn::storage::rocks
