#include "client/src/grpc_connection.h"

#include <algorithm>
#include <utility>

#include "client/src/channel.h"
#include "client/src/convert.h"
#include "client/src/grpc_pipeline.h"
#include "client/src/grpc_scan.h"
#include "client/src/methods.h"

namespace tarn {
namespace internal {
namespace {

constexpr int kDefaultRetries = 10;
constexpr std::chrono::milliseconds kDefaultBackoffBase{100};
constexpr std::chrono::milliseconds kDefaultBackoffCap{5'000};

}  // namespace

CallKind KindOf(const BatchParams& params, const IdempotencyPolicy& policy) {
  const bool reads = std::ranges::all_of(params.batch.operations(), &Operation::is_read);
  return {"Batch", reads ? Access::kRead : Access::kWrite, policy.OfBatch(params.batch)};
}

Policies PoliciesOf(const ClientOptions& options) {
  Policies policies{options.retry_policy, options.backoff_policy, options.idempotency_policy};
  if (!policies.retry) policies.retry = std::make_shared<LimitedRetryPolicy>(kDefaultRetries);
  if (!policies.backoff) {
    policies.backoff =
        std::make_shared<ExponentialBackoffPolicy>(kDefaultBackoffBase, kDefaultBackoffCap);
  }
  if (!policies.idempotency) policies.idempotency = std::make_shared<StrictIdempotencyPolicy>();
  return policies;
}

TimePoint DeadlineAfter(std::chrono::milliseconds timeout, const World& world) {
  const TimePoint now = world.now();
  const auto most = std::chrono::floor<std::chrono::milliseconds>(TimePoint::max() - now);
  return timeout >= most ? TimePoint::max() : now + timeout;
}

GrpcConnection::GrpcConnection(std::shared_ptr<grpc::ChannelInterface> channel,
                               const ClientOptions& options, World world)
    : stub_(v1::StateService::NewStub(std::move(channel))),
      options_(options),
      policies_(PoliciesOf(options)),
      world_(std::move(world)) {}

CallSettings GrpcConnection::SettingsFor(Timeout timeout) const {
  return {world_, DeadlineAfter(timeout.value_or(options_.call_timeout), world_),
          options_.attempt_timeout};
}

Retrier GrpcConnection::RetrierFor(CallKind kind, TimePoint deadline) const {
  return Retrier(kind, policies_.retry->Clone(), policies_.backoff->Clone(), deadline, world_.now);
}

template <typename Method, typename Result, typename Params>
absl::StatusOr<Result> GrpcConnection::Run(Params params) const {
  const CallKind kind = KindOf(params, *policies_.idempotency);
  const CallSettings settings = SettingsFor(params.timeout);
  auto response = Call<Method>(*stub_, ToRequest(std::move(params)), settings,
                               RetrierFor(kind, settings.deadline));
  if (!response.ok()) return response.status();
  return FromResponse(*std::move(response));
}

template <typename Method, typename Result, typename Params>
void GrpcConnection::Start(Params params, Callback<Result> callback) const {
  const CallKind kind = KindOf(params, *policies_.idempotency);
  CallSettings settings = SettingsFor(params.timeout);
  Retrier retrier = RetrierFor(kind, settings.deadline);
  auto done = [callback = std::move(callback)](absl::StatusOr<typename Method::Response> response) {
    if (!response.ok()) return callback(response.status());
    callback(FromResponse(*std::move(response)));
  };
  std::make_shared<AsyncCall<Method, StateStub>>(
      stub_, ToRequest(std::move(params)), std::move(settings), std::move(retrier), std::move(done))
      ->Attempt();
}

absl::StatusOr<GetResult> GrpcConnection::Get(GetParams params) {
  return Run<GetMethod, GetResult>(std::move(params));
}
absl::StatusOr<PutResult> GrpcConnection::Put(PutParams params) {
  return Run<PutMethod, PutResult>(std::move(params));
}
absl::StatusOr<DeleteResult> GrpcConnection::Delete(DeleteParams params) {
  return Run<DeleteMethod, DeleteResult>(std::move(params));
}
absl::StatusOr<TakeResult> GrpcConnection::Take(TakeParams params) {
  return Run<TakeMethod, TakeResult>(std::move(params));
}
absl::StatusOr<IncrementResult> GrpcConnection::Increment(IncrementParams params) {
  return Run<IncrementMethod, IncrementResult>(std::move(params));
}
absl::StatusOr<AppendResult> GrpcConnection::Append(AppendParams params) {
  return Run<AppendMethod, AppendResult>(std::move(params));
}
absl::StatusOr<TouchResult> GrpcConnection::Touch(TouchParams params) {
  return Run<TouchMethod, TouchResult>(std::move(params));
}
absl::StatusOr<BatchResult> GrpcConnection::RunBatch(BatchParams params) {
  return Run<RunBatchMethod, BatchResult>(std::move(params));
}
absl::StatusOr<CountResult> GrpcConnection::Count(CountParams params) {
  return Run<CountMethod, CountResult>(std::move(params));
}
absl::StatusOr<DeleteRangeResult> GrpcConnection::DeleteRange(DeleteRangeParams params) {
  return Run<DeleteRangeMethod, DeleteRangeResult>(std::move(params));
}

void GrpcConnection::AsyncGet(GetParams params, Callback<GetResult> callback) {
  Start<GetMethod>(std::move(params), std::move(callback));
}
void GrpcConnection::AsyncPut(PutParams params, Callback<PutResult> callback) {
  Start<PutMethod>(std::move(params), std::move(callback));
}
void GrpcConnection::AsyncDelete(DeleteParams params, Callback<DeleteResult> callback) {
  Start<DeleteMethod>(std::move(params), std::move(callback));
}
void GrpcConnection::AsyncTake(TakeParams params, Callback<TakeResult> callback) {
  Start<TakeMethod>(std::move(params), std::move(callback));
}
void GrpcConnection::AsyncIncrement(IncrementParams params, Callback<IncrementResult> callback) {
  Start<IncrementMethod>(std::move(params), std::move(callback));
}
void GrpcConnection::AsyncAppend(AppendParams params, Callback<AppendResult> callback) {
  Start<AppendMethod>(std::move(params), std::move(callback));
}
void GrpcConnection::AsyncTouch(TouchParams params, Callback<TouchResult> callback) {
  Start<TouchMethod>(std::move(params), std::move(callback));
}
void GrpcConnection::AsyncRunBatch(BatchParams params, Callback<BatchResult> callback) {
  Start<RunBatchMethod>(std::move(params), std::move(callback));
}
void GrpcConnection::AsyncCount(CountParams params, Callback<CountResult> callback) {
  Start<CountMethod>(std::move(params), std::move(callback));
}
void GrpcConnection::AsyncDeleteRange(DeleteRangeParams params,
                                      Callback<DeleteRangeResult> callback) {
  Start<DeleteRangeMethod>(std::move(params), std::move(callback));
}

std::unique_ptr<ScanSource> GrpcConnection::Scan(ScanParams params) {
  const TimePoint deadline = DeadlineAfter(params.timeout.value_or(kNoTimeout), world_);
  auto make_retrier = [policies = policies_, deadline, now = world_.now] {
    return Retrier({"Scan", Access::kRead, Idempotency::kIdempotent}, policies.retry->Clone(),
                   policies.backoff->Clone(), deadline, now);
  };
  return std::make_unique<GrpcScan>(stub_, ToRequest(std::move(params)),
                                    CallSettings{world_, deadline, kNoTimeout},
                                    std::move(make_retrier));
}

std::unique_ptr<PipelineBackend> GrpcConnection::OpenPipeline(PipelineParams params) {
  if (!params.options.retry_policy) params.options.retry_policy = policies_.retry;
  if (!params.options.backoff_policy) params.options.backoff_policy = policies_.backoff;
  return std::make_unique<GrpcPipeline>(stub_, std::move(params), world_);
}

}  // namespace internal

absl::StatusOr<std::shared_ptr<Connection>> MakeConnection(const ClientOptions& options) {
  auto channel = internal::MakeChannel(options);
  if (!channel.ok()) return channel.status();
  return std::make_shared<internal::GrpcConnection>(*std::move(channel), options,
                                                    internal::RealWorld());
}

}  // namespace tarn
