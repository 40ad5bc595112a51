// One unary call with its repetitions, waiting or not. A Method says which one:
//
//   struct SomeMethod {
//     using Request = ...; using Response = ...;
//     static grpc::Status Call(Stub&, grpc::ClientContext*, const Request&, Response*);
//     static void Start(Stub&, grpc::ClientContext*, const Request*, Response*,
//     std::function<void(grpc::Status)>);
//   };
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "client/src/retry.h"
#include "client/src/status_mapping.h"
#include "client/src/world.h"
#include <grpc/support/time.h>
#include <grpcpp/client_context.h>

namespace tarn::internal {

// What all calls of a connection have in common.
struct CallSettings {
  World world;
  TimePoint deadline;
  std::chrono::milliseconds attempt_timeout;
};

// The deadline of the attempt that begins now.
inline void SetDeadline(const CallSettings& settings, grpc::ClientContext* context) {
  const auto left = std::min<std::chrono::nanoseconds>(
      settings.deadline - settings.world.now(),
      settings.attempt_timeout == std::chrono::milliseconds::max()
          ? std::chrono::nanoseconds::max()
          : std::chrono::nanoseconds(settings.attempt_timeout));
  if (left > std::chrono::hours(24 * 365)) return;  // As good as none.
  context->set_deadline(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(left.count(), GPR_TIMESPAN)));
}

template <typename Method, typename Stub>
absl::StatusOr<typename Method::Response> Call(Stub& stub, const typename Method::Request& request,
                                               const CallSettings& settings, Retrier retrier) {
  while (true) {
    grpc::ClientContext context;
    SetDeadline(settings, &context);
    typename Method::Response response;
    const grpc::Status ended = Method::Call(stub, &context, request, &response);
    if (ended.ok()) return response;
    const auto pause = retrier.OnFailure(FromCall(ended, context));
    if (!pause.has_value()) return retrier.failure();
    settings.world.sleep(*pause);
  }
}

// Keeps itself and the stub alive until `done` has been called.
template <typename Method, typename Stub>
class AsyncCall : public std::enable_shared_from_this<AsyncCall<Method, Stub>> {
 public:
  using Request = typename Method::Request;
  using Response = typename Method::Response;
  using Done = std::function<void(absl::StatusOr<Response>)>;

  AsyncCall(std::shared_ptr<Stub> stub, Request request, CallSettings settings, Retrier retrier,
            Done done)
      : stub_(std::move(stub)),
        request_(std::move(request)),
        settings_(std::move(settings)),
        retrier_(std::move(retrier)),
        done_(std::move(done)) {}

  void Attempt() {
    context_.emplace();
    SetDeadline(settings_, &*context_);
    response_ = Response();
    Method::Start(
        *stub_, &*context_, &request_, &response_,
        [self = this->shared_from_this()](const grpc::Status& status) { self->OnEnded(status); });
  }

 private:
  void OnEnded(const grpc::Status& status) {
    if (status.ok()) return done_(std::move(response_));
    const auto pause = retrier_.OnFailure(FromCall(status, *context_));
    if (!pause.has_value()) return done_(retrier_.failure());
    settings_.world.timers->After(*pause, [self = this->shared_from_this()] { self->Attempt(); });
  }

  const std::shared_ptr<Stub> stub_;
  const Request request_;
  const CallSettings settings_;
  Retrier retrier_;
  const Done done_;
  std::optional<grpc::ClientContext> context_;
  Response response_;
};

}  // namespace tarn::internal
