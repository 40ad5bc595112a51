// Long work over a range of keys: one page a step, each step a task of its own on the executor.
#pragma once

#include <atomic>
#include <memory>

#include "absl/status/status.h"
#include "storage/base/clock.h"
#include "storage/base/executor.h"
#include "storage/engine.h"
#include "storage/outstanding.h"
#include "storage/snapshot.h"
#include "storage/store.h"

namespace tarn::storage {

// What every such task needs of its store.
struct RangeTaskContext {
  Engine& engine;
  const base::Clock& clock;
  base::Executor& executor;
  Outstanding& tasks;
};

// Keeps itself alive from Start to Finished. Its functions are called by one thread at a time.
class RangeTask : public std::enable_shared_from_this<RangeTask> {
 public:
  RangeTask(const RangeTaskContext& context, KeyRange range, ScanContent content,
            const PageBudget& budget, StopRequested stop);
  virtual ~RangeTask() = default;

  // Opens a snapshot and walks it. An error (QUEUE_FULL, DRAINING) comes by Finished too.
  void Start() { Schedule(); }

 protected:
  // Takes a page in, which is valid during the call alone.
  virtual void Take(const Page& page) = 0;

  // Does what the page asks for, and calls Proceed when that is done.
  virtual void Act() { Proceed(absl::OkStatus()); }

  // The end, called once: OK when the whole range was walked, CANCELLED when it was asked to stop.
  virtual void Finished(const absl::Status& status) = 0;

  // On to the next page, or to the end.
  void Proceed(const absl::Status& status);

  Engine& engine() { return context_.engine; }
  Revision revision() const { return snapshot_ == nullptr ? 0 : snapshot_->revision(); }

 private:
  void Schedule();
  absl::Status Open();
  void Step();
  void Meet();
  void Finish(const absl::Status& status);

  const RangeTaskContext context_;
  const KeyRange range_;
  const ScanContent content_;
  const PageBudget budget_;
  const StopRequested stop_;
  const Outstanding::Token token_;

  std::unique_ptr<Snapshot> snapshot_;
  std::unique_ptr<Cursor> cursor_;
  absl::Status page_status_;
  bool at_end_ = false;
  // How many of the two ends of a step have been reached: the return of the cursor's Next, and its
  // completion. What follows belongs to the second, because it may destroy the cursor.
  std::atomic<int> met_{0};
};

}  // namespace tarn::storage
