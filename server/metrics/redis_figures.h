// What /metrics says of the Redis behind the engine.
#pragma once

#include <cstddef>

#include "storage/redis_report.h"

namespace tarn::server {

// Nodes with metrics of their own, so that a scrape has a bound; tarn_redis_nodes has their number.
inline constexpr size_t kMaxRedisNodeLabels = 100;

class Families;
void AddRedis(const storage::RedisReport& report, Families* families);

}  // namespace tarn::server
