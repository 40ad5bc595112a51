// What the services for checkpoints and jobs need of the daemon that they belong to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "checkpoint/catalog.h"
#include "checkpoint/checkpoint_id.h"
#include "checkpoint/checkpointer.h"
#include "checkpoint/jobs.h"
#include "storage/base/executor.h"
#include "storage/revision.h"
#include "storage/store.h"

namespace tarn::server {

enum class RestoreMode { kRestore, kValidateOnly };
enum class SafetyCheckpoint { kMake, kSkip };

// A part of one namespace.
struct RestoreRange {
  std::string ns;  // Empty: the default one.
  storage::KeyBounds bounds;
};

struct RestoreRequest {
  // Nothing: the latest; then, when it turns out to be damaged, the next older one that is not.
  std::optional<checkpoint::CheckpointId> id;
  RestoreMode mode = RestoreMode::kRestore;
  SafetyCheckpoint safety = SafetyCheckpoint::kMake;
  std::optional<RestoreRange> range;  // Nothing: everything.
};

// Thread-safe, and outlives the services. Functions that return a job's id do not block: what goes
// wrong with the work itself is the job's error. Errors carry the reasons that checkpoint.proto
// names.
class CheckpointControl {
 public:
  virtual ~CheckpointControl() = default;

  virtual checkpoint::JobRegistry& jobs() = 0;
  virtual checkpoint::Catalog& catalog() = 0;
  virtual base::Executor& executor() = 0;  // For blocking work.
  virtual storage::Incarnation incarnation() const = 0;

  // The checkpoints with what retention would do with each.
  virtual std::vector<checkpoint::ListedCheckpoint> List() const = 0;

  virtual absl::StatusOr<checkpoint::JobId> Create(const checkpoint::CreateRequest& request) = 0;
  virtual absl::StatusOr<checkpoint::JobId> Verify(const checkpoint::CheckpointId& id) = 0;
  virtual absl::StatusOr<checkpoint::JobId> Restore(const RestoreRequest& request) = 0;
};

}  // namespace tarn::server
