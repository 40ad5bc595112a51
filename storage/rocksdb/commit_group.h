// Batches that are committed together: each judged by the state that those before it leave, all
// written at once.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "rocksdb/write_batch.h"
#include "storage/base/clock.h"
#include "storage/batch.h"
#include "storage/evaluate.h"
#include "storage/limits.h"
#include "storage/revision.h"
#include "storage/rocksdb/answer.h"
#include "storage/rocksdb/database.h"
#include "storage/rocksdb/disk_watch.h"
#include "storage/rocksdb/overlay.h"
#include "storage/usage.h"

namespace tarn::storage::rocks {

// A batch on its way through the writer.
struct Submission {
  Submission(const Batch& run, Completion completion);

  Batch batch;
  Completion done;
  size_t bytes = 0;      // Of its keys and values.
  bool changes = false;  // It has effects in the group that it is part of.
  BatchResult result;
};

using Submissions = std::vector<std::unique_ptr<Submission>>;

// Under which conditions a group is judged.
struct Conditions {
  base::UnixMs now = 0;
  Room room = Room::kEnough;
  absl::Status refusal;  // Of every mutation; OK when the engine takes writes.
};

// Used by the writer's thread only. Judge gives every submission its result; if the group has
// changes, they are then written with AddChanges, and settled when that failed.
class CommitGroup {
 public:
  CommitGroup(const Limits& limits, UsageLedger& ledger, RevisionSource& revisions)
      : limits_(limits), ledger_(ledger), revisions_(revisions) {}

  void Judge(const Database& database, const Submissions& submissions,
             const Conditions& conditions);

  // Of the newest commit in the group; 0 when nothing changes.
  Revision revision() const { return revision_; }

  void AddChanges(const Database& database, rocksdb::WriteBatch& batch);

  // After a failed write: makes the ledger say again what the database holds.
  void Settle(const Database& database);

  const Overlay& overlay() const { return overlay_; }

  // Forgets everything, keeping memory for the next group.
  void Clear();

 private:
  // What an operation of an atomic batch will do, once all of them can be done.
  struct Planned {
    size_t operation;  // Its index in the batch.
    Slot* slot;
    Row after;
  };
  // Why a batch cannot be done, and which of its operations is to blame.
  struct Failure {
    absl::Status status;
    size_t operation = 0;
  };

  void JudgeAtomic(Submission& submission, absl::Span<const size_t> slots);
  Failure Plan(Submission& submission, absl::Span<const size_t> slots);
  Failure AdmitPlan(const Batch& batch);
  void ApplyPlan(Submission& submission);

  void JudgeIndependent(Submission& submission, absl::Span<const size_t> slots);
  OperationResult JudgeOne(const Operation& operation, Slot& slot, ResponseMeter& meter,
                           Submission& submission);

  // Whether the operation may be tried at all.
  absl::Status Admissible(const Operation& operation, const Slot& slot) const;
  // Charges for a change, or says why there is no room for it.
  absl::Status Admit(NamespaceId ns, const Usage& change);
  // What the operation leaves, with bytes that last as long as the group.
  Row After(const Evaluation& evaluation, Revision revision);
  void Apply(Slot& slot, const Row& after, Revision revision);
  // `written` is the revision of what the receipt is about; 0 when that changed nothing.
  void AddReceipt(Submission& submission, const Receipt& receipt, Revision written,
                  absl::Span<const Operation> operations,
                  absl::Span<const OperationResult> results);

  const Limits& limits_;
  UsageLedger& ledger_;
  RevisionSource& revisions_;

  Conditions conditions_;
  Revision revision_ = 0;
  Overlay overlay_;
  std::vector<size_t> slots_;  // One for each operation of each batch, in order.
  std::vector<Planned> plan_;
  absl::flat_hash_map<NamespaceId, Usage> charged_;
};

}  // namespace tarn::storage::rocks
