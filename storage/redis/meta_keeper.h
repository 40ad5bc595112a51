// What the store says of itself in Redis, read and written.
#pragma once

#include <atomic>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/redis/asking.h"
#include "storage/redis/core.h"
#include "storage/redis/store_records.h"

namespace tarn::storage::redis {

// Blocks: not for the loop's thread. Writes one at a time.
class MetaKeeper {
 public:
  // Both outlive it.
  MetaKeeper(Core& core, Asking& asking) : core_(core), asking_(asking) {}

  // Writes the format record of a new store. FAILED_PRECONDITION (NEWER_FORMAT) for that of a newer
  // program.
  absl::Status CheckFormat();

  // Nothing of a store that was never initialised.
  absl::StatusOr<std::optional<MetaRecord>> Read();

  // Durable when it returns. The first time, revisions begin to count in that incarnation.
  absl::Status Write(const StoreMeta& meta);

  // A load has begun the incarnation.
  void IncarnationHasStarted() { started_ = true; }

 private:
  void StartIncarnation(Incarnation incarnation);

  Core& core_;
  Asking& asking_;
  std::atomic<bool> started_ = false;
};

}  // namespace tarn::storage::redis
