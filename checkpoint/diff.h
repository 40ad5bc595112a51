// In what two checkpoints differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "checkpoint/progress.h"
#include "checkpoint/reader.h"

namespace tarn::checkpoint {

// A key that is not the same in both.
struct KeyChange {
  enum class Kind {
    kAdded,    // Only in the second.
    kRemoved,  // Only in the first.
    kChanged,  // Another value, or another deadline. Revisions do not count.
  };
  Kind kind = Kind::kAdded;
  std::string ns;
  std::string key;

  friend bool operator==(const KeyChange&, const KeyChange&) = default;
};

struct DiffTotals {
  uint64_t added = 0;
  uint64_t removed = 0;
  uint64_t changed = 0;
  uint64_t same = 0;

  friend bool operator==(const DiffTotals&, const DiffTotals&) = default;
};

enum class DiffDetail { kKeys, kCountsOnly };

struct DiffOptions {
  std::string ns;  // Only this namespace; empty: all.
  DiffDetail detail = DiffDetail::kKeys;
  size_t max_step_bytes = 64 << 10;  // Of names and keys that one step gives, and one key more.
  size_t max_step_blocks = 16;       // That one step reads: some milliseconds of work.
};

// Walks both checkpoints at once, by namespace and in key order, in steps, so that whoever takes
// the changes sets the pace. Holds one block of each. Not thread-safe; the readers outlive it.
//
// Blocks of equal bytes are compared like all others: entries are stored relative to the revision
// and the time of their checkpoint, so equal bytes say different things in two of them.
class CheckpointDiff {
 public:
  CheckpointDiff(const CheckpointReader& from, const CheckpointReader& to,
                 const DiffOptions& options, Progress& progress);
  ~CheckpointDiff();

  struct Step {
    std::vector<KeyChange> changes;  // In order; perhaps none.
    bool at_end = false;
  };
  // Blocks. DATA_LOSS, CANCELLED; after an error there are no more steps.
  absl::StatusOr<Step> Next();

  // So far.
  const DiffTotals& totals() const { return totals_; }

 private:
  class Side;

  bool HasRoom() const { return step_bytes_ < options_.max_step_bytes; }
  void Meet();
  void Pass(Side& side);
  void Note(KeyChange::Kind kind, const Side& side);

  const DiffOptions options_;
  Progress& progress_;
  const std::unique_ptr<Side> from_;
  const std::unique_ptr<Side> to_;
  DiffTotals totals_;
  Step step_;
  size_t step_bytes_ = 0;
};

}  // namespace tarn::checkpoint
