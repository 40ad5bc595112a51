#pragma once

#include "tarn/redis_info.h"
#include "tarn/v1/admin.pb.h"

namespace tarn::internal {

RedisInfo FromProto(const v1::RedisInfo& proto);

}  // namespace tarn::internal
