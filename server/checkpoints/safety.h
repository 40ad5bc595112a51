// The checkpoint of a state that is about to be given up.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "checkpoint/catalog.h"
#include "checkpoint/checkpointer.h"
#include "checkpoint/progress.h"

namespace tarn::server {

struct Safety {
  checkpoint::CheckpointId id;
  enum class Pin { kOurs, kEarlier } pin = Pin::kOurs;
};

// Makes one of the state as it is, or takes the newest when that still holds it, and pins it with
// this reason unless it is pinned already. Older ones stay, so that none that is about to be
// restored goes. Only while the scheduler is held.
absl::StatusOr<Safety> MakeSafety(checkpoint::Checkpointer& checkpointer,
                                  checkpoint::Catalog& catalog, const std::string& reason,
                                  checkpoint::Progress& progress);

// The state was not given up after all.
void UndoSafety(const Safety& safety, checkpoint::Catalog& catalog);

}  // namespace tarn::server
