// Takes keys out of Redis that nobody sees any more: the value, and its places in the indexes.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "storage/base/clock.h"
#include "storage/redis/core.h"
#include "storage/redis/index_scan.h"

namespace tarn::storage::redis {

// Of these keys, all of one partition, removes those whose deadline is not after `expired_by` (0:
// none), and takes out of the index those that are not there. The ledger knows of it when `done` is
// called with the number of those that were there. No revision is taken, and no snapshot may show
// them. The loop's thread's.
void RemoveUnseen(Core& core, Partition partition, std::vector<Place> places,
                  base::UnixMs expired_by,
                  absl::AnyInvocable<void(absl::StatusOr<uint64_t>) &&> done);

}  // namespace tarn::storage::redis
