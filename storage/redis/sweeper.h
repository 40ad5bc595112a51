// Removes expired entries in the order of their deadlines.
#pragma once

#include <cstddef>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "storage/engine.h"
#include "storage/redis/core.h"

namespace tarn::storage::redis {

// See Engine::SweepExpired. What an open snapshot may still show stays. The loop's thread's; one
// call at a time.
void SweepExpired(Core& core, size_t max_entries,
                  absl::AnyInvocable<void(absl::StatusOr<SweepResult>) &&> done);

}  // namespace tarn::storage::redis
