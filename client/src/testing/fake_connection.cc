#include "tarn/testing/fake_connection.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "tarn/error.h"

namespace tarn::testing {
namespace {

// The result of a unary call: a batch of one.
absl::StatusOr<OperationResult> RunOne(FakeStore& store, std::string_view call,
                                       const std::string& ns, Operation operation,
                                       const WriteFence& fence) {
  Batch batch = Batch::Independent();
  batch.Add(std::move(operation));
  absl::StatusOr<BatchResult> result = store.Run(call, ns, batch, fence);
  if (!result.ok()) return result.status();
  OperationResult& one = result->results[0];
  if (!one.status.ok()) return one.status;
  return std::move(one);
}

class FakeScan : public ScanSource {
 public:
  FakeScan(std::shared_ptr<FakeStore> store, ScanParams params)
      : store_(std::move(store)), params_(std::move(params)) {}

  absl::StatusOr<std::optional<ScanChunk>> Next() override {
    if (std::exchange(done_, true)) return std::nullopt;
    if (!params_.resume_token.empty()) {
      return MakeError(absl::StatusCode::kInvalidArgument, Reason::kInvalidResumeToken,
                       "a fake scan gives everything at once, and so no tokens");
    }
    absl::StatusOr<ScanChunk> chunk = store_->Read("Scan", params_.ns, params_.range);
    if (!chunk.ok()) return chunk.status();
    auto& entries = chunk->entries;
    if (params_.order == ScanOrder::kDescending) std::ranges::reverse(entries);
    if (params_.limit > 0) entries.resize(std::min<uint64_t>(entries.size(), params_.limit));
    if (params_.content == ScanContent::kKeysOnly) {
      for (Entry& entry : entries) entry.value.clear();
    }
    return *std::move(chunk);
  }

 private:
  const std::shared_ptr<FakeStore> store_;
  const ScanParams params_;
  bool done_ = false;
};

class FakePipeline : public PipelineBackend {
 public:
  FakePipeline(std::shared_ptr<FakeStore> store, PipelineParams params)
      : store_(std::move(store)), ns_(std::move(params.ns)), fence_(std::move(params.fence)) {}

  absl::Status Add(Operation operation, Callback<OperationResult> callback) override {
    if (closed_) return Closed();
    callback(RunOne(*store_, "Pipeline", ns_, std::move(operation), fence_));
    return absl::OkStatus();
  }
  absl::Status Add(Batch batch, Callback<BatchResult> callback) override {
    if (closed_) return Closed();
    callback(store_->Run("Pipeline", ns_, batch, fence_));
    return absl::OkStatus();
  }
  absl::Status Flush(std::chrono::milliseconds) override { return absl::OkStatus(); }
  absl::Status Close(std::chrono::milliseconds) override {
    closed_ = true;
    return absl::OkStatus();
  }
  void Cancel() override { closed_ = true; }

 private:
  static absl::Status Closed() {
    return MakeError(absl::StatusCode::kCancelled, Reason::kPipelineClosed,
                     "the pipeline was closed");
  }

  const std::shared_ptr<FakeStore> store_;
  const std::string ns_;
  const WriteFence fence_;
  std::atomic<bool> closed_{false};
};

}  // namespace

absl::StatusOr<GetResult> FakeConnection::Get(GetParams params) {
  auto result = RunOne(*store_, "Get", params.ns,
                       Operation::Get(std::move(params.key), params.precondition), {});
  if (!result.ok()) return result.status();
  return GetResult{result->found, std::move(result->value), result->revision, result->expire_time};
}

absl::StatusOr<PutResult> FakeConnection::Put(PutParams params) {
  const auto result = RunOne(*store_, "Put", params.ns,
                             Operation::Put(std::move(params.key), std::move(params.value),
                                            params.ttl, params.precondition),
                             params.fence);
  if (!result.ok()) return result.status();
  return PutResult{result->found, result->revision, result->expire_time};
}

absl::StatusOr<DeleteResult> FakeConnection::Delete(DeleteParams params) {
  const auto result =
      RunOne(*store_, "Delete", params.ns,
             Operation::Delete(std::move(params.key), params.precondition), params.fence);
  if (!result.ok()) return result.status();
  return DeleteResult{result->found, result->revision};
}

absl::StatusOr<TakeResult> FakeConnection::Take(TakeParams params) {
  auto result = RunOne(*store_, "Take", params.ns,
                       Operation::Take(std::move(params.key), params.precondition), params.fence);
  if (!result.ok()) return result.status();
  return TakeResult{result->found, std::move(result->value), result->revision};
}

absl::StatusOr<IncrementResult> FakeConnection::Increment(IncrementParams params) {
  const auto result = RunOne(
      *store_, "Increment", params.ns,
      Operation::Increment(std::move(params.key), params.delta, params.ttl, params.precondition),
      params.fence);
  if (!result.ok()) return result.status();
  return IncrementResult{result->found, result->number, result->revision, result->expire_time};
}

absl::StatusOr<AppendResult> FakeConnection::Append(AppendParams params) {
  const auto result = RunOne(*store_, "Append", params.ns,
                             Operation::Append(std::move(params.key), std::move(params.suffix),
                                               params.ttl, params.precondition),
                             params.fence);
  if (!result.ok()) return result.status();
  return AppendResult{result->found, result->size_bytes, result->revision, result->expire_time};
}

absl::StatusOr<TouchResult> FakeConnection::Touch(TouchParams params) {
  const auto result = RunOne(
      *store_, "Touch", params.ns,
      Operation::Touch(std::move(params.key), params.ttl, params.precondition), params.fence);
  if (!result.ok()) return result.status();
  return TouchResult{result->found, result->revision, result->expire_time};
}

absl::StatusOr<BatchResult> FakeConnection::RunBatch(BatchParams params) {
  return store_->Run("Batch", params.ns, params.batch, params.fence);
}

absl::StatusOr<CountResult> FakeConnection::Count(CountParams params) {
  const auto chunk = store_->Read("Count", params.ns, params.range);
  if (!chunk.ok()) return chunk.status();
  return CountResult{chunk->entries.size(), chunk->revision};
}

absl::StatusOr<DeleteRangeResult> FakeConnection::DeleteRange(DeleteRangeParams params) {
  return store_->Remove(params.ns, params.range, params.fence);
}

std::unique_ptr<ScanSource> FakeConnection::Scan(ScanParams params) {
  return std::make_unique<FakeScan>(store_, std::move(params));
}

std::unique_ptr<PipelineBackend> FakeConnection::OpenPipeline(PipelineParams params) {
  return std::make_unique<FakePipeline>(store_, std::move(params));
}

}  // namespace tarn::testing
