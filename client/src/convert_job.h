// Between libtarn's structs and the messages of job.proto: the only place that knows both.
#pragma once

#include "tarn/job.h"
#include "tarn/v1/job.pb.h"

namespace tarn::internal {

Job FromProto(const v1::Job& proto);
v1::WatchJobRequest ToRequest(const WatchJobParams& params);

}  // namespace tarn::internal
