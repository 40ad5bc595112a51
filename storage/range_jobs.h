// What is done to whole ranges: counting, deleting, and finding out whether there is anything.
#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "storage/limits.h"
#include "storage/range_task.h"
#include "storage/store.h"

namespace tarn::storage {

// The callbacks are called once, on the executor or on a thread of the engine's.
void CountRange(const RangeTaskContext& context, KeyRange range, StopRequested stop,
                Store::Done<CountResult> done);

// Deletes page by page what a snapshot shows and nobody has changed since, each entry by itself.
void DeleteRange(const RangeTaskContext& context, KeyRange range, const Limits& limits,
                 StopRequested stop, Store::Done<DeleteRangeResult> done);

enum class Occupancy { kEmpty, kOccupied };

// Whether the range shows a living entry.
void ProbeRange(const RangeTaskContext& context, KeyRange range, Store::Done<Occupancy> done);

}  // namespace tarn::storage
