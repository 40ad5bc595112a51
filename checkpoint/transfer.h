// Single checkpoints into a catalog and out of it.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "checkpoint/catalog.h"
#include "checkpoint/progress.h"

namespace tarn::checkpoint {

// What an import may take in.
enum class ImportRule {
  kOwnStore,  // FAILED_PRECONDITION for a checkpoint of another store.
  kAnyStore,  // It keeps its store's id in its name, is restored only by that name, and counts for
              // nothing else.
};

// Proves every byte of `path`, copies it, proves the copy, and publishes that under the id in its
// header. Importing again what is there already gives what is there. ALREADY_EXISTS when something
// else has that id; FAILED_PRECONDITION when it claims a later incarnation of this store than
// `running`, which would make it newer than what is made from now on.
absl::StatusOr<CheckpointInfo> ImportCheckpoint(Catalog& catalog, const std::string& path,
                                                ImportRule rule, storage::Incarnation running,
                                                Progress& progress);

// Proves every byte of a checkpoint and copies it to `path`, replacing what is there, durably.
absl::Status ExportCheckpoint(const Catalog& catalog, const CheckpointId& id,
                              const std::string& path, Progress& progress);

}  // namespace tarn::checkpoint
