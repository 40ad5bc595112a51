// The Redis part of `tarnctl server info`.
#pragma once

#include <vector>

#include "client/cli/context.h"
#include "client/cli/output.h"
#include "tarn/redis_info.h"

namespace tarn::cli {

// For people: one field for each fact of the whole. In JSON: one object, nodes included.
void AddRedis(const Context& context, const RedisInfo& redis, std::vector<Field>& fields);

// A line for each node, behind an empty one; nothing in JSON.
void PrintRedisNodes(const Context& context, const RedisInfo& redis);

}  // namespace tarn::cli
