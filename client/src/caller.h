// Unary calls of any service, by the policies of the options.
#pragma once

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "client/src/call.h"
#include "client/src/grpc_connection.h"
#include "client/src/retry.h"
#include "client/src/world.h"
#include "tarn/options.h"
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

namespace tarn::internal {

// A method as a type, for call.h: generated code has none, only a member function of the stub.
template <typename Stub, typename Q, typename R,
          grpc::Status (Stub::*kCall)(grpc::ClientContext*, const Q&, R*)>
struct StubMethod {
  using Request = Q;
  using Response = R;
  static grpc::Status Call(Stub& stub, grpc::ClientContext* context, const Q& request,
                           R* response) {
    return (stub.*kCall)(context, request, response);
  }
};

inline CallKind ReadCall(const char* name) {
  return {name, Access::kRead, Idempotency::kIdempotent};
}

inline CallKind WriteCall(const char* name, Idempotency idempotency) {
  return {name, Access::kWrite, idempotency};
}

// Thread-safe; constant after construction.
class Caller {
 public:
  Caller(const ClientOptions& options, World world)
      : options_(options), policies_(PoliciesOf(options)), world_(std::move(world)) {}

  // Of a call that begins now.
  TimePoint DeadlineOf(Timeout timeout) const {
    return DeadlineAfter(timeout.value_or(options_.call_timeout), world_);
  }

  CallSettings Settings(TimePoint deadline) const {
    return {world_, deadline, options_.attempt_timeout};
  }

  // Of a stream, which has no timeout unless one is given, and may take as long as its work does.
  CallSettings StreamSettings(Timeout timeout) const {
    return {world_, DeadlineAfter(timeout.value_or(kNoTimeout), world_), kNoTimeout};
  }

  Retrier MakeRetrier(CallKind kind, TimePoint deadline) const {
    return {kind, policies_.retry->Clone(), policies_.backoff->Clone(), deadline, world_.now};
  }

  template <typename Method, typename Stub>
  absl::StatusOr<typename Method::Response> Run(Stub& stub, const typename Method::Request& request,
                                                CallKind kind, TimePoint deadline) const {
    return Call<Method>(stub, request, Settings(deadline), MakeRetrier(kind, deadline));
  }

 private:
  const ClientOptions options_;
  const Policies policies_;
  const World world_;
};

}  // namespace tarn::internal
