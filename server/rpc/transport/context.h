// What every call of the gRPC transport needs besides its request.
#pragma once

#include "server/metrics/counters.h"
#include "server/rpc/count_error.h"
#include "server/rpc/errors.h"
#include "server/rpc/transport/stream_registry.h"
#include "storage/base/clock.h"

namespace tarn::server {

// All of it outlives the calls.
struct TransportContext {
  Counters& counters;
  const base::Clock& clock;
  StreamRegistry& streams;
};

// Counts one call from its arrival to its end.
class CallTimer {
 public:
  CallTimer(const TransportContext& context, Rpc rpc)
      : context_(context), rpc_(rpc), start_ns_(context.clock.MonotonicNanos()) {
    context_.counters.BeginCall();
  }

  void CountError(const google::rpc::Status& error) const {
    server::CountError(ReasonOf(error), context_.counters);
  }

  void Stop(int code) const {
    context_.counters.EndCall(rpc_, code, context_.clock.MonotonicNanos() - start_ns_);
  }

 private:
  const TransportContext& context_;
  const Rpc rpc_;
  const int64_t start_ns_;
};

}  // namespace tarn::server
