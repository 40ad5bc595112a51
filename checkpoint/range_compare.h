// In what a range of a store differs from the same range of a checkpoint.
#pragma once

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "checkpoint/progress.h"
#include "checkpoint/reader.h"
#include "storage/snapshot.h"

namespace tarn::checkpoint {

// One step that makes the range what it is in the checkpoint. A view, valid during the call.
struct RangeChange {
  enum class Kind { kPut, kDelete };
  Kind kind = Kind::kPut;
  absl::string_view key;
  absl::string_view value;               // kPut.
  base::UnixMs deadline = base::kNever;  // kPut.
};

// Walks both in key order and calls `on_change` for each step that is needed, none when they are
// the same; revisions do not count. Expiry is judged at the snapshot's time on both sides. `ns` is
// the namespace's name in the checkpoint; `range` says its number in the store. Blocks; ends with
// the first error. CANCELLED.
absl::Status CompareRange(storage::Snapshot& snapshot, const storage::KeyRange& range,
                          const CheckpointReader& reader, absl::string_view ns,
                          absl::FunctionRef<absl::Status(const RangeChange&)> on_change,
                          Progress& progress);

}  // namespace tarn::checkpoint
