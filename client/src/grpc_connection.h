// The Connection to a server.
#pragma once

#include <memory>

#include "client/src/call.h"
#include "client/src/request_ids.h"
#include "client/src/retry.h"
#include "client/src/world.h"
#include "tarn/connection.h"
#include "tarn/options.h"
#include "tarn/v1/state.grpc.pb.h"

namespace tarn::internal {

// The policies of `options`, with the defaults in place of the null ones.
struct Policies {
  std::shared_ptr<const RetryPolicy> retry;
  std::shared_ptr<const BackoffPolicy> backoff;
  std::shared_ptr<const IdempotencyPolicy> idempotency;
};
Policies PoliciesOf(const ClientOptions& options);

// The end of a timeout that begins now.
TimePoint DeadlineAfter(std::chrono::milliseconds timeout, const World& world);

// Thread-safe; constant after construction.
class GrpcConnection : public Connection {
 public:
  GrpcConnection(std::shared_ptr<grpc::ChannelInterface> channel, const ClientOptions& options,
                 World world);

  absl::StatusOr<GetResult> Get(GetParams params) override;
  absl::StatusOr<PutResult> Put(PutParams params) override;
  absl::StatusOr<DeleteResult> Delete(DeleteParams params) override;
  absl::StatusOr<TakeResult> Take(TakeParams params) override;
  absl::StatusOr<IncrementResult> Increment(IncrementParams params) override;
  absl::StatusOr<AppendResult> Append(AppendParams params) override;
  absl::StatusOr<TouchResult> Touch(TouchParams params) override;
  absl::StatusOr<BatchResult> RunBatch(BatchParams params) override;
  absl::StatusOr<CountResult> Count(CountParams params) override;
  absl::StatusOr<DeleteRangeResult> DeleteRange(DeleteRangeParams params) override;

  void AsyncGet(GetParams params, Callback<GetResult> callback) override;
  void AsyncPut(PutParams params, Callback<PutResult> callback) override;
  void AsyncDelete(DeleteParams params, Callback<DeleteResult> callback) override;
  void AsyncTake(TakeParams params, Callback<TakeResult> callback) override;
  void AsyncIncrement(IncrementParams params, Callback<IncrementResult> callback) override;
  void AsyncAppend(AppendParams params, Callback<AppendResult> callback) override;
  void AsyncTouch(TouchParams params, Callback<TouchResult> callback) override;
  void AsyncRunBatch(BatchParams params, Callback<BatchResult> callback) override;
  void AsyncCount(CountParams params, Callback<CountResult> callback) override;
  void AsyncDeleteRange(DeleteRangeParams params, Callback<DeleteRangeResult> callback) override;

  std::unique_ptr<ScanSource> Scan(ScanParams params) override;
  std::unique_ptr<PipelineBackend> OpenPipeline(PipelineParams params) override;

 private:
  template <typename Method, typename Result, typename Params>
  absl::StatusOr<Result> Run(Params params) const;
  template <typename Method, typename Result, typename Params>
  void Start(Params params, Callback<Result> callback) const;

  // With a request id where one is needed.
  template <typename Method, typename Result, typename Params>
  absl::StatusOr<Result> RunIdentified(Params params) const;
  template <typename Method, typename Result, typename Params>
  void StartIdentified(Params params, Callback<Result> callback) const;

  CallSettings SettingsFor(Timeout timeout) const;
  Retrier RetrierFor(CallKind kind, TimePoint deadline) const;

  const std::shared_ptr<v1::StateService::Stub> stub_;
  const ClientOptions options_;
  const Policies policies_;
  const World world_;
  const std::shared_ptr<RequestIds> ids_;  // Null: none are used.
};

}  // namespace tarn::internal
