// Sends writes that may be done twice: what is loaded, what is thrown away, records of the owner.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "storage/redis/core.h"
#include "storage/redis/partition.h"

namespace tarn::storage::redis {

// All of them in this order, on one connection, in the line of `name`, a key of Redis: what is sent
// for the same name later is done later. Nobody else writes what they write. They are sent again
// while that may help; once one may have been done, until all are. So an error means that Redis
// refused, that it could not be reached, and nothing was done, or that the engine closes (UNKNOWN).
// The loop's thread's.
void SendWrites(Core& core, Partition partition, std::string name,
                std::vector<std::string> commands,
                absl::AnyInvocable<void(const absl::Status&) &&> done);

}  // namespace tarn::storage::redis
