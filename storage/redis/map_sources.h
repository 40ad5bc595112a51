// Where maps of nodes come from.
#pragma once

#include <functional>
#include <memory>

#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/redis/connection.h"
#include "storage/redis/node_map.h"
#include "storage/redis/redis_url.h"
#include "storage/redis/slot_map.h"
#include <asio/io_context.hpp>

namespace tarn::storage::redis {

// Called on the loop's thread.
using TakeMap = std::function<void(SlotMap)>;

// Sentinels: one node serves all slots. Who logs in to Sentinels is in the URL; `connection` is as
// for the nodes.
std::shared_ptr<MapSource> MakeSentinelSource(asio::io_context& context, const base::Clock& clock,
                                              base::RandomSource& random, const RedisUrl& url,
                                              const ConnectionOptions& connection, TakeMap take);

// A cluster: any node of it is asked by CLUSTER SLOTS.
std::shared_ptr<MapSource> MakeClusterSource(asio::io_context& context, const base::Clock& clock,
                                             base::RandomSource& random, const RedisUrl& url,
                                             const ConnectionOptions& connection, TakeMap take);

}  // namespace tarn::storage::redis
