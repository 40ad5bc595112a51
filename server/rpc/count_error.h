// Every error that a caller is told is counted, wherever it is told.
#pragma once

#include "server/metrics/counters.h"
#include "server/rpc/errors.h"

namespace tarn::server {

inline void CountError(base::Reason reason, Counters& counters) {
  counters.AddError(reason);
  if (AdvisesRetry(reason)) counters.AddRetryAdvised();
}

}  // namespace tarn::server
