// What became of a write whose answer was lost.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "storage/redis/core.h"
#include "storage/redis/pool.h"

namespace tarn::storage::redis {

// Makes sure that nothing that went out on the lease can be executed any more, and then reads the
// header (record.h) of the entry with that name: "" when there is none. Tries for as long as it
// takes; gives nothing only when the engine closes before it is known. Keeps the lease.
void Settle(Core& core, std::shared_ptr<KeyLease> lease, std::string name,
            absl::AnyInvocable<void(std::optional<std::string> header) &&> done);

}  // namespace tarn::storage::redis
