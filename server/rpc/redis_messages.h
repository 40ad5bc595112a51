// What GetServerInfo says of the Redis behind the engine.
#pragma once

#include "storage/redis_report.h"
#include "tarn/v1/admin.pb.h"

namespace tarn::server {

void FillRedis(const storage::RedisReport& report, tarn::v1::RedisInfo& message);

}  // namespace tarn::server
