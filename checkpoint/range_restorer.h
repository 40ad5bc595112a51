// Brings one range of a running store back to what it was in a checkpoint.
#pragma once

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "checkpoint/catalog.h"
#include "checkpoint/progress.h"
#include "checkpoint/range_compare.h"
#include "checkpoint/reader.h"
#include "checkpoint/restore_journal.h"
#include "storage/engine.h"

namespace tarn::checkpoint {

// Keeps everybody else out of a range: what stands above the engine and knows its clients.
class RangeGate {
 public:
  // A range that is closed, until destroyed.
  class Closure {
   public:
    virtual ~Closure() = default;
    // The namespace's number in the engine.
    virtual storage::NamespaceId ns() const = 0;
  };

  virtual ~RangeGate() = default;

  // From now on whoever reads or writes a key of the namespace from `start` to `end` (exclusive;
  // empty: all that follow) gets UNAVAILABLE, and so does whoever would delete the namespace.
  // Returns when nothing that was let in before is under way. FAILED_PRECONDITION
  // (NAMESPACE_NOT_FOUND).
  virtual absl::StatusOr<std::unique_ptr<Closure>> Close(absl::string_view ns,
                                                         const std::string& start,
                                                         const std::string& end) = 0;
};

struct RangeRestoreRequest {
  CheckpointId target;
  std::string ns;
  std::string start;
  std::string end;  // Empty: up to the last key.
};

// Works through ordinary commits: what changes gets new revisions, what is the same already keeps
// its own. The checkpoint is proved to the last byte, the state before is checkpointed too, and the
// intent is journaled, before anything changes; whatever ends it in the middle, the range is wholly
// as in the one or wholly as in the other before anybody sees it again. One at a time; blocks.
class RangeRestorer {
 public:
  struct Dependencies {
    storage::Engine& engine;
    Catalog& catalog;
    RestoreJournal& journal;
  };

  // Makes a checkpoint of the state as it is now and pins it: what the range goes back to if the
  // restore fails in the middle. Called once the range is closed.
  using MakeSafety = absl::FunctionRef<absl::StatusOr<CheckpointId>()>;

  explicit RangeRestorer(const Dependencies& dependencies) : dependencies_(dependencies) {}

  // Errors: DATA_LOSS (the checkpoint is bad), FAILED_PRECONDITION when an earlier one has still to
  // be settled, NOT_FOUND, CANCELLED, those of the engine (such as QUOTA_EXCEEDED) and of the file
  // system: the range is as it was before. Only when that cannot be reached either does it stay
  // closed; the message says so, and Settle is to be called again, or the daemon started again.
  absl::Status Restore(const RangeRestoreRequest& request, RangeGate& gate, MakeSafety make_safety,
                       Progress& progress);

  // Finishes or undoes what an earlier call or an earlier process left; OK when there is nothing,
  // or once it is one or the other. At the start before anybody is served; `revision` is that of
  // the store's newest commit.
  absl::Status Settle(storage::Revision revision, Progress& progress);

  // The whole store was replaced: what was left is void.
  absl::Status Forget();

  // Whether a range is closed because it could be brought to neither state. Not while a call is
  // under way.
  bool stuck() const { return stuck_ != nullptr; }
  // The gate is about to go: opens what is closed. The journal keeps what the next start has to do.
  void LetGo() { stuck_.reset(); }

 private:
  // How an attempt ended: why the range is not as in the target, if so; and whether it is surely in
  // one of the two states, now and after any crash.
  struct Outcome {
    absl::Status status;
    enum class Range { kSettled, kUnsettled } range = Range::kSettled;
  };

  absl::StatusOr<std::unique_ptr<CheckpointReader>> OpenProven(const CheckpointId& id,
                                                               Progress& progress) const;
  absl::StatusOr<RestoreIntent> AddSafety(RestoreIntent intent, MakeSafety make_safety,
                                          Progress& progress) const;
  Outcome Begin(const RestoreIntent& intent, storage::NamespaceId ns, Progress& progress);
  Outcome FinishOrUndo(const RestoreIntent& intent, storage::NamespaceId ns, Progress& progress);
  absl::Status SettleJournal(storage::Revision revision, Progress& progress);
  absl::Status Finish(RestoreIntent intent, storage::NamespaceId ns, Progress& progress);
  absl::Status Become(const CheckpointReader& reader, const RestoreIntent& intent,
                      storage::NamespaceId ns, Progress& progress);
  absl::Status Apply(const CheckpointReader& reader, const RestoreIntent& intent,
                     storage::NamespaceId ns, RangeChange::Kind kind, Progress& progress);

  const Dependencies dependencies_;
  std::unique_ptr<RangeGate::Closure> stuck_;  // A range that could be brought to neither state.
};

}  // namespace tarn::checkpoint
