// Reads a range of a snapshot page by page on a thread that may wait.
#pragma once

#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "storage/snapshot.h"

namespace tarn::checkpoint {

// Calls `on_page` with the entries of each page of the range, on the calling thread or on the
// engine's, one page at a time, and returns when there are no more, or with the first error of the
// cursor or of `on_page`. Expiry is judged at the snapshot's time. Between two pages `between` runs
// on the calling thread: the place for work that blocks.
absl::Status ForEachPage(storage::Snapshot& snapshot, const storage::KeyRange& range,
                         absl::FunctionRef<void(const storage::Page&)> on_page,
                         absl::FunctionRef<absl::Status()> between,
                         storage::ScanReading reading = storage::ScanReading::kMayRepeat);

}  // namespace tarn::checkpoint
