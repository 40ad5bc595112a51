// What the servers of a store are configured to do with it.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "storage/redis/asking.h"
#include "storage/redis/redis_options.h"
#include "storage/redis/redis_url.h"

namespace tarn::storage::redis {

// One sentence for operators: what an acknowledged write survives there. FAILED_PRECONDITION when a
// server would evict entries and `eviction` does not allow it. Blocks.
absl::StatusOr<std::string> CheckServers(Asking& asking, const RedisUrl& url, Eviction eviction);

}  // namespace tarn::storage::redis
