// How a restore of a range keeps everybody else out of it.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "checkpoint/range_restorer.h"
#include "checkpoint/scheduler.h"
#include "storage/store_door.h"

namespace tarn::server {

// Closes the range at the store's door. No checkpoint is made on schedule while it is closed: it
// would hold half of what is being restored.
class DoorRangeGate final : public checkpoint::RangeGate {
 public:
  DoorRangeGate(storage::StoreDoor& door, checkpoint::Scheduler& scheduler)
      : door_(door), scheduler_(scheduler) {}

  absl::StatusOr<std::unique_ptr<Closure>> Close(absl::string_view ns, const std::string& start,
                                                 const std::string& end) override;

 private:
  storage::StoreDoor& door_;
  checkpoint::Scheduler& scheduler_;
};

}  // namespace tarn::server
