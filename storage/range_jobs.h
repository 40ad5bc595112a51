// What is done to whole ranges: counting, deleting, and finding out whether there is anything.
#pragma once

#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "storage/limits.h"
#include "storage/locks/lock_table.h"
#include "storage/range_task.h"
#include "storage/store.h"

namespace tarn::storage {

// The callbacks are called once, on the executor or on a thread of the engine's.
void CountRange(const RangeTaskContext& context, KeyRange range, StopRequested stop,
                Store::Done<CountResult> done);

// Lets each commit of such work in, or not.
class RangeFence {
 public:
  RangeFence(LockTable& locks, std::string ns, const WriteFence& fence)
      : locks_(&locks),
        ns_(std::move(ns)),
        lock_(fence.lock ? fence.lock->name : ""),
        group_(fence.group ? fence.group->name : ""),
        fence_(fence) {}

  absl::StatusOr<LockTable::Pass> Enter() const {
    WriteFence fence = fence_;
    if (fence.lock) fence.lock->name = lock_;
    if (fence.group) fence.group->name = group_;
    return locks_->Enter(ns_, fence);
  }

 private:
  LockTable* locks_;
  std::string ns_;
  std::string lock_;
  std::string group_;
  WriteFence fence_;  // The names in it are the caller's.
};

// Deletes page by page what a snapshot shows and nobody has changed since, each entry by itself.
void DeleteRange(const RangeTaskContext& context, KeyRange range, RangeFence fence,
                 const Limits& limits, StopRequested stop, Store::Done<DeleteRangeResult> done);

enum class Occupancy { kEmpty, kOccupied };

// Whether the range shows a living entry.
void ProbeRange(const RangeTaskContext& context, KeyRange range, Store::Done<Occupancy> done);

}  // namespace tarn::storage
