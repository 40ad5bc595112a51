// What a daemon starts with: which store it is, and in which state.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "checkpoint/catalog.h"
#include "checkpoint/progress.h"
#include "checkpoint/restorer.h"
#include "checkpoint/start_decision.h"
#include "server/checkpoints/restore_counts.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/engine.h"
#include "storage/revision.h"
#include "storage/store_identity.h"

namespace tarn::server {

struct OpenedState {
  storage::StoreMeta meta;  // Of the incarnation that has begun, durable in every place.
  // Of the newest commit in the state that was found or restored.
  storage::Revision newest = 0;
  checkpoint::History history = checkpoint::History::kContinued;
};

struct StateOpening {
  storage::Engine& engine;
  storage::DataDirectory& directory;
  checkpoint::Catalog& catalog;  // Not bound yet.
  checkpoint::Restorer& restorer;
  RestoreCounts& counts;
  base::RandomSource& random;
  const base::Clock& clock;
  std::string holder;  // For others who want the catalog: who has it.
};

// Finds out whose state this is, binds the catalog to that store, restores a checkpoint if the
// rules say so, and begins the next incarnation. Blocks, perhaps for long. Errors carry the exit
// code; then nothing was begun, and doing it again is right.
absl::StatusOr<OpenedState> OpenState(const StateOpening& opening,
                                      const checkpoint::StartRules& rules,
                                      checkpoint::Progress& progress);

}  // namespace tarn::server
