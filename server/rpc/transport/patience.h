// How long the client of a call still waits.
#pragma once

#include <algorithm>
#include <cstdint>

#include "storage/batch.h"
#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>

namespace tarn::server {

// In milliseconds; Caller::kForEver without a deadline.
inline int64_t PatienceOf(const grpc::CallbackServerContext& context) {
  if (context.IsCancelled()) return 0;
  const gpr_timespec deadline = context.raw_deadline();
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) {
    return storage::Caller::kForEver;
  }
  const gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
  return std::max<int64_t>(gpr_time_to_millis(left), 0);
}

}  // namespace tarn::server
