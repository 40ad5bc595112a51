// What a write that must look first is going to do: judged here, by the rules that all engines
// share, while its keys are held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "storage/batch.h"
#include "storage/evaluate.h"
#include "storage/redis/core.h"

namespace tarn::storage::redis {

// What must be read of an entry, in the letters of ReadScript.
enum class Want : char { kHeader = 'h', kSome = 'a', kValue = 'f', kReplaced = 'p' };

// What happens to an entry, in the letters of CommitScript.
enum class Change : char { kNone = 0, kSet = 'S', kAppend = 'A', kTouch = 'T', kDelete = 'D' };

// An entry that the operations are about. Views the operations.
struct PlannedEntry {
  NamespaceId ns = kSystemNamespace;
  absl::string_view key;
  Location at;
  std::string name;
  Want want = Want::kHeader;

  // As it was read.
  uint64_t length = 0;  // 0: there is none.
  std::string record;   // All of it or its beginning.

  // As it will be.
  Change change = Change::kNone;
  base::UnixMs deadline = base::kNever;
  std::string value;         // kSet: all of it; kAppend: what is added.
  uint64_t value_bytes = 0;  // Of all of it, afterwards.

  bool read_whole() const { return record.size() == length; }
  absl::string_view old_header() const;
};

// Of one operation, or of the operations of an atomic batch.
class CommitPlan {
 public:
  // Which must stay where they are.
  CommitPlan(const Core& core, absl::Span<const Operation> operations, const Receipt* receipt);

  // Each key once, in the order of the operations.
  std::deque<PlannedEntry>& entries() { return entries_; }
  const std::deque<PlannedEntry>& entries() const { return entries_; }

  // Whether all that may be replaced is asked for as a whole.
  bool reads_replaced() const { return reads_replaced_; }

  // Once all entries are read. The error of an operation undoes all; which one it was is `failed`.
  absl::Status Evaluate(base::UnixMs now);
  size_t failed() const { return failed_; }

  // All below is known after Evaluate.

  // How much the answer holds; values of takes count even where they were not read.
  size_t response_bytes() const { return response_bytes_; }
  // What the namespaces gain and lose, without the receipt.
  const absl::flat_hash_map<NamespaceId, Usage>& usage() const { return usage_; }
  bool changes() const { return changes_; }
  bool writes() const { return changes_ || receipt_ != nullptr; }

  // Gives the results their revision, and the receipt its value.
  void SetRevision(Revision revision, BatchMode mode);
  // Values view the entries' records.
  const std::vector<OperationResult>& results() const { return results_; }
  // What CommitScript is sent, with that revision and time.
  std::string Command(base::UnixMs now) const;

  const Receipt* receipt() const { return receipt_; }
  const std::string& receipt_value() const { return receipt_value_; }
  // The entry by which it is seen later whether it was done: before and after.
  struct Mark {
    std::string name;
    std::string before;
    std::string after;
  };
  Mark FindMark() const;

 private:
  PlannedEntry& EntryOf(const Operation& operation);
  absl::StatusOr<Found> FoundOf(const PlannedEntry& entry, base::UnixMs now);
  absl::Status EvaluateOne(size_t index, base::UnixMs now);
  void Adopt(const Operation& operation, const Effect& effect, bool found, PlannedEntry& entry);

  const Core& core_;
  const absl::Span<const Operation> operations_;
  const Receipt* const receipt_;
  std::deque<PlannedEntry> entries_;
  absl::flat_hash_map<std::pair<NamespaceId, absl::string_view>, PlannedEntry*> by_key_;
  const bool reads_replaced_;
  std::vector<OperationResult> results_;
  std::vector<bool> effective_;  // The operation changes something.
  absl::flat_hash_map<NamespaceId, Usage> usage_;
  size_t response_bytes_ = 0;
  size_t failed_ = 0;
  bool changes_ = false;
  Revision revision_ = 0;
  std::string receipt_value_;
  std::string nothing_;  // Stands for values of which only the size matters.
};

}  // namespace tarn::storage::redis
