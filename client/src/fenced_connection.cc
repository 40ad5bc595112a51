#include <utility>

#include "tarn/lock.h"

namespace tarn {
namespace {

class Fencing : public Connection {
 public:
  Fencing(std::shared_ptr<Connection> connection, WriteFence fence)
      : connection_(std::move(connection)), fence_(std::move(fence)) {}

  absl::StatusOr<GetResult> Get(GetParams params) override {
    return connection_->Get(std::move(params));
  }
  absl::StatusOr<CountResult> Count(CountParams params) override {
    return connection_->Count(std::move(params));
  }
  absl::StatusOr<PutResult> Put(PutParams params) override {
    return connection_->Put(With(std::move(params)));
  }
  absl::StatusOr<DeleteResult> Delete(DeleteParams params) override {
    return connection_->Delete(With(std::move(params)));
  }
  absl::StatusOr<TakeResult> Take(TakeParams params) override {
    return connection_->Take(With(std::move(params)));
  }
  absl::StatusOr<IncrementResult> Increment(IncrementParams params) override {
    return connection_->Increment(With(std::move(params)));
  }
  absl::StatusOr<AppendResult> Append(AppendParams params) override {
    return connection_->Append(With(std::move(params)));
  }
  absl::StatusOr<TouchResult> Touch(TouchParams params) override {
    return connection_->Touch(With(std::move(params)));
  }
  absl::StatusOr<BatchResult> RunBatch(BatchParams params) override {
    return connection_->RunBatch(With(std::move(params)));
  }
  absl::StatusOr<DeleteRangeResult> DeleteRange(DeleteRangeParams params) override {
    return connection_->DeleteRange(With(std::move(params)));
  }

  void AsyncGet(GetParams params, Callback<GetResult> callback) override {
    connection_->AsyncGet(std::move(params), std::move(callback));
  }
  void AsyncCount(CountParams params, Callback<CountResult> callback) override {
    connection_->AsyncCount(std::move(params), std::move(callback));
  }
  void AsyncPut(PutParams params, Callback<PutResult> callback) override {
    connection_->AsyncPut(With(std::move(params)), std::move(callback));
  }
  void AsyncDelete(DeleteParams params, Callback<DeleteResult> callback) override {
    connection_->AsyncDelete(With(std::move(params)), std::move(callback));
  }
  void AsyncTake(TakeParams params, Callback<TakeResult> callback) override {
    connection_->AsyncTake(With(std::move(params)), std::move(callback));
  }
  void AsyncIncrement(IncrementParams params, Callback<IncrementResult> callback) override {
    connection_->AsyncIncrement(With(std::move(params)), std::move(callback));
  }
  void AsyncAppend(AppendParams params, Callback<AppendResult> callback) override {
    connection_->AsyncAppend(With(std::move(params)), std::move(callback));
  }
  void AsyncTouch(TouchParams params, Callback<TouchResult> callback) override {
    connection_->AsyncTouch(With(std::move(params)), std::move(callback));
  }
  void AsyncRunBatch(BatchParams params, Callback<BatchResult> callback) override {
    connection_->AsyncRunBatch(With(std::move(params)), std::move(callback));
  }
  void AsyncDeleteRange(DeleteRangeParams params, Callback<DeleteRangeResult> callback) override {
    connection_->AsyncDeleteRange(With(std::move(params)), std::move(callback));
  }

  std::unique_ptr<ScanSource> Scan(ScanParams params) override {
    return connection_->Scan(std::move(params));
  }
  std::unique_ptr<PipelineBackend> OpenPipeline(PipelineParams params) override {
    return connection_->OpenPipeline(With(std::move(params)));
  }

 private:
  // What a call says itself goes before.
  template <typename Params>
  Params With(Params params) const {
    if (params.fence.token == 0) {
      params.fence.lock = fence_.lock;
      params.fence.token = fence_.token;
    }
    if (params.fence.epoch == 0) {
      params.fence.group = fence_.group;
      params.fence.epoch = fence_.epoch;
    }
    return params;
  }

  const std::shared_ptr<Connection> connection_;
  const WriteFence fence_;
};

}  // namespace

std::shared_ptr<Connection> FencedConnection(std::shared_ptr<Connection> connection,
                                             WriteFence fence) {
  return std::make_shared<Fencing>(std::move(connection), std::move(fence));
}

Client Fenced(const Client& client, WriteFence fence) {
  return Client(FencedConnection(client.connection(), std::move(fence)), client.ns());
}

}  // namespace tarn
