#include "client/src/grpc_connection.h"

#include <algorithm>
#include <utility>

#include "client/src/channel.h"
#include "client/src/convert.h"
#include "client/src/grpc_pipeline.h"
#include "client/src/grpc_scan.h"
#include "client/src/methods.h"
#include "client/src/status_mapping.h"
#include "tarn/error.h"

namespace tarn {
namespace internal {
namespace {

constexpr int kDefaultRetries = 10;
constexpr std::chrono::milliseconds kDefaultBackoffBase{100};
constexpr std::chrono::milliseconds kDefaultBackoffCap{5'000};

// A client that the server does not know is registered anew, once.
enum class Round { kFirst, kSecond };

bool IsForgotten(const absl::Status& status) { return ReasonOf(status) == Reason::kUnknownClient; }

template <typename Params>
bool NeedsRequestId(const Params& params) {
  return internal::NeedsRequestId(OperationKindOf(params), params.precondition.kind());
}
bool NeedsRequestId(const BatchParams& params) { return internal::NeedsRequestId(params.batch); }

// With an id, any write may be repeated.
template <typename Request>
void Identify(const RequestId& id, Request& request, CallKind& kind) {
  request.set_client_id(id.client);
  request.set_request_id(id.request);
  kind.has_request_id = !id.empty();
  if (kind.has_request_id) kind.idempotency = Idempotency::kIdempotent;
}

// A write with an id that is not waited for. Keeps itself alive until `done` has been called.
template <typename Method>
class IdentifiedCall : public std::enable_shared_from_this<IdentifiedCall<Method>> {
 public:
  using Response = absl::StatusOr<typename Method::Response>;

  IdentifiedCall(std::shared_ptr<StateStub> stub, std::shared_ptr<RequestIds> ids,
                 typename Method::Request request, CallKind kind, CallSettings settings,
                 RequestIds::MakeRetrier make_retrier, std::function<void(Response)> done)
      : stub_(std::move(stub)),
        ids_(std::move(ids)),
        request_(std::move(request)),
        kind_(kind),
        settings_(std::move(settings)),
        make_retrier_(std::move(make_retrier)),
        done_(std::move(done)) {}

  void Begin(Round round) {
    ids_->Next(settings_, make_retrier_,
               [self = this->shared_from_this(), round](const absl::StatusOr<RequestId>& id) {
                 self->OnId(round, id);
               });
  }

 private:
  void OnId(Round round, const absl::StatusOr<RequestId>& id) {
    if (!id.ok()) return done_(WithContext(id.status(), kind_.name));
    Identify(*id, request_, kind_);
    std::make_shared<AsyncCall<Method, StateStub>>(
        stub_, request_, settings_, make_retrier_(kind_),
        [self = this->shared_from_this(), round, client = id->client](Response response) {
          self->OnEnded(round, client, std::move(response));
        })
        ->Attempt();
  }

  void OnEnded(Round round, uint64_t client, Response response) {
    if (round == Round::kSecond || !IsForgotten(response.status()))
      return done_(std::move(response));
    ids_->Forget(client);
    Begin(Round::kSecond);
  }

  const std::shared_ptr<StateStub> stub_;
  const std::shared_ptr<RequestIds> ids_;
  typename Method::Request request_;
  CallKind kind_;
  const CallSettings settings_;
  const RequestIds::MakeRetrier make_retrier_;
  const std::function<void(Response)> done_;
};

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
      world_(std::move(world)),
      ids_(options.request_ids == RequestIdUse::kNever || !policies_.idempotency->UsesRequestIds()
               ? nullptr
               : std::make_shared<RequestIds>(stub_)) {}

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

template <typename Method, typename Result, typename Params>
absl::StatusOr<Result> GrpcConnection::RunIdentified(Params params) const {
  if (ids_ == nullptr || !NeedsRequestId(params)) return Run<Method, Result>(std::move(params));
  CallKind kind = KindOf(params, *policies_.idempotency);
  const CallSettings settings = SettingsFor(params.timeout);
  const auto make_retrier = [&](CallKind of) { return RetrierFor(of, settings.deadline); };
  typename Method::Request request = ToRequest(std::move(params));
  for (Round round = Round::kFirst;; round = Round::kSecond) {
    const absl::StatusOr<RequestId> id = ids_->NextAndWait(settings, make_retrier);
    if (!id.ok()) return WithContext(id.status(), kind.name);
    Identify(*id, request, kind);
    auto response = Call<Method>(*stub_, request, settings, make_retrier(kind));
    if (response.ok()) return FromResponse(*std::move(response));
    if (round == Round::kSecond || !IsForgotten(response.status())) return response.status();
    ids_->Forget(id->client);
  }
}

template <typename Method, typename Result, typename Params>
void GrpcConnection::StartIdentified(Params params, Callback<Result> callback) const {
  if (ids_ == nullptr || !NeedsRequestId(params))
    return Start<Method, Result>(std::move(params), std::move(callback));
  const CallKind kind = KindOf(params, *policies_.idempotency);
  const CallSettings settings = SettingsFor(params.timeout);
  auto make_retrier = [policies = policies_, deadline = settings.deadline,
                       now = world_.now](CallKind of) {
    return Retrier(of, policies.retry->Clone(), policies.backoff->Clone(), deadline, now);
  };
  auto done = [callback = std::move(callback)](absl::StatusOr<typename Method::Response> response) {
    if (!response.ok()) return callback(response.status());
    callback(FromResponse(*std::move(response)));
  };
  std::make_shared<IdentifiedCall<Method>>(stub_, ids_, ToRequest(std::move(params)), kind,
                                           settings, std::move(make_retrier), std::move(done))
      ->Begin(Round::kFirst);
}

absl::StatusOr<GetResult> GrpcConnection::Get(GetParams params) {
  return Run<GetMethod, GetResult>(std::move(params));
}
absl::StatusOr<PutResult> GrpcConnection::Put(PutParams params) {
  return RunIdentified<PutMethod, PutResult>(std::move(params));
}
absl::StatusOr<DeleteResult> GrpcConnection::Delete(DeleteParams params) {
  return RunIdentified<DeleteMethod, DeleteResult>(std::move(params));
}
absl::StatusOr<TakeResult> GrpcConnection::Take(TakeParams params) {
  return RunIdentified<TakeMethod, TakeResult>(std::move(params));
}
absl::StatusOr<IncrementResult> GrpcConnection::Increment(IncrementParams params) {
  return RunIdentified<IncrementMethod, IncrementResult>(std::move(params));
}
absl::StatusOr<AppendResult> GrpcConnection::Append(AppendParams params) {
  return RunIdentified<AppendMethod, AppendResult>(std::move(params));
}
absl::StatusOr<TouchResult> GrpcConnection::Touch(TouchParams params) {
  return RunIdentified<TouchMethod, TouchResult>(std::move(params));
}
absl::StatusOr<BatchResult> GrpcConnection::RunBatch(BatchParams params) {
  return RunIdentified<RunBatchMethod, BatchResult>(std::move(params));
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
  StartIdentified<PutMethod>(std::move(params), std::move(callback));
}
void GrpcConnection::AsyncDelete(DeleteParams params, Callback<DeleteResult> callback) {
  StartIdentified<DeleteMethod>(std::move(params), std::move(callback));
}
void GrpcConnection::AsyncTake(TakeParams params, Callback<TakeResult> callback) {
  StartIdentified<TakeMethod>(std::move(params), std::move(callback));
}
void GrpcConnection::AsyncIncrement(IncrementParams params, Callback<IncrementResult> callback) {
  StartIdentified<IncrementMethod>(std::move(params), std::move(callback));
}
void GrpcConnection::AsyncAppend(AppendParams params, Callback<AppendResult> callback) {
  StartIdentified<AppendMethod>(std::move(params), std::move(callback));
}
void GrpcConnection::AsyncTouch(TouchParams params, Callback<TouchResult> callback) {
  StartIdentified<TouchMethod>(std::move(params), std::move(callback));
}
void GrpcConnection::AsyncRunBatch(BatchParams params, Callback<BatchResult> callback) {
  StartIdentified<RunBatchMethod>(std::move(params), std::move(callback));
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
  return std::make_unique<GrpcPipeline>(stub_, ids_, std::move(params), world_);
}

}  // namespace internal

absl::StatusOr<std::shared_ptr<Connection>> MakeConnection(const ClientOptions& options) {
  auto channel = internal::MakeChannel(options);
  if (!channel.ok()) return channel.status();
  return std::make_shared<internal::GrpcConnection>(*std::move(channel), options,
                                                    internal::RealWorld());
}

}  // namespace tarn
