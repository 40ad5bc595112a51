// One batch, from when the engine takes it to its completion.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "storage/batch.h"
#include "storage/redis/core.h"

namespace tarn::storage::redis {

// Divides a batch into units (one of the other classes here: each works on its own keys), gathers
// their results, and sees to what concerns several of them: the order of quotas, the size of the
// answer. The loop's thread's; ends itself after it has called the completion.
class BatchRun {
 public:
  // `ended` is called last of all.
  static void Start(Core& core, const Batch& batch, Completion done,
                    absl::AnyInvocable<void() &&> ended);

  BatchRun(const BatchRun&) = delete;
  BatchRun& operator=(const BatchRun&) = delete;

  const Batch& batch() const { return batch_; }
  const Operation& operation(size_t index) const { return batch_.operations[index]; }

  // What results view.
  base::Arena& arena() { return result_.arena; }

  // --- for units of independent batches ---

  // Calls `then` when nothing stands before the operation: at once, unless an operation of the
  // batch met its namespace's quota, from which on they are done one after the other.
  void WhenTurn(size_t index, absl::AnyInvocable<void() &&> then);

  // Calls `then` when every change before the operation in the list has its revision, or has ended
  // without: so revisions rise in list order. Whoever has taken one says so by PassCommit.
  void WhenMayCommit(size_t index, absl::AnyInvocable<void() &&> then);
  void PassCommit(size_t index);
  // Whether that is now, and so at any time later.
  bool MayCommit(size_t index);

  // Says how many bytes of value the operation brings back, before it is done. `then` is called
  // with OK or RESPONSE_TOO_LARGE as soon as that is so of all before it.
  void WhenSized(size_t index, size_t bytes, absl::AnyInvocable<void(const absl::Status&) &&> then);

  // The operation has ended. A value that it brings back counts for the size of the answer, and is
  // taken back where that is too large. May end the run.
  void Finish(size_t index, OperationResult result);

  // --- for the unit of an atomic batch: all results are in place ---

  BatchResult& result() { return result_; }
  void FinishAll();

 private:
  using Then = absl::AnyInvocable<void() &&>;
  using Verdict = absl::AnyInvocable<void(const absl::Status&) &&>;

  // What is known of an operation that brings back a value.
  struct Size {
    bool known = false;
    size_t bytes = 0;
    Verdict verdict;  // Of one that is not done yet.
  };

  BatchRun(Core& core, const Batch& batch, Completion done, Then ended);

  void StartIndependent();
  void StartOne(size_t index);
  void Complete();
  void Meter();
  void MeterOne(size_t index, Size& size);
  void MeterGet(size_t index);
  void BecomeAtomic();

  Core& core_;
  const Batch batch_;
  Completion done_;
  Then ended_;
  BatchResult result_;

  bool as_one_ = false;  // An atomic batch of one operation.
  size_t unfinished_ = 0;
  std::vector<bool> finished_;         // Only while somebody waits for a turn.
  size_t finished_before_ = 0;         // All before it have ended.
  size_t sequential_from_ = SIZE_MAX;  // From here on one after the other.
  std::vector<std::pair<size_t, Then>> turns_;

  // Only where there are several operations.
  struct CommitTurn {
    bool passed = false;
    Then then;  // Of one that waits.
  };
  std::vector<CommitTurn> commit_turns_;
  size_t committed_before_ = 0;  // All before it have passed.
  bool passing_ = false;

  std::vector<Size> sizes_;     // Only of batches with a take among several operations.
  size_t metered_ = 0;          // The sizes of all before it are counted in
  size_t used_bytes_ = 0;       // what the answer has by now.
  std::shared_ptr<int> alive_;  // Expires with the run; where there are sizes.
};

}  // namespace tarn::storage::redis
