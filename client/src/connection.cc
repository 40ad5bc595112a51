#include "tarn/connection.h"

#include <utility>

namespace tarn {
namespace {

absl::Status NotOverridden() {
  return absl::UnimplementedError("this connection does not offer the call");
}

class FailingScan : public ScanSource {
 public:
  absl::StatusOr<std::optional<ScanChunk>> Next() override { return NotOverridden(); }
};

class FailingPipeline : public PipelineBackend {
 public:
  absl::Status Add(Operation, Callback<OperationResult>) override { return NotOverridden(); }
  absl::Status Add(Batch, Callback<BatchResult>) override { return NotOverridden(); }
  absl::Status Flush(std::chrono::milliseconds) override { return absl::OkStatus(); }
  absl::Status Close(std::chrono::milliseconds) override { return absl::OkStatus(); }
  void Cancel() override {}
};

}  // namespace

absl::StatusOr<GetResult> Connection::Get(GetParams) { return NotOverridden(); }
absl::StatusOr<PutResult> Connection::Put(PutParams) { return NotOverridden(); }
absl::StatusOr<DeleteResult> Connection::Delete(DeleteParams) { return NotOverridden(); }
absl::StatusOr<TakeResult> Connection::Take(TakeParams) { return NotOverridden(); }
absl::StatusOr<IncrementResult> Connection::Increment(IncrementParams) { return NotOverridden(); }
absl::StatusOr<AppendResult> Connection::Append(AppendParams) { return NotOverridden(); }
absl::StatusOr<TouchResult> Connection::Touch(TouchParams) { return NotOverridden(); }
absl::StatusOr<BatchResult> Connection::RunBatch(BatchParams) { return NotOverridden(); }
absl::StatusOr<CountResult> Connection::Count(CountParams) { return NotOverridden(); }
absl::StatusOr<DeleteRangeResult> Connection::DeleteRange(DeleteRangeParams) {
  return NotOverridden();
}

void Connection::AsyncGet(GetParams params, Callback<GetResult> callback) {
  callback(Get(std::move(params)));
}
void Connection::AsyncPut(PutParams params, Callback<PutResult> callback) {
  callback(Put(std::move(params)));
}
void Connection::AsyncDelete(DeleteParams params, Callback<DeleteResult> callback) {
  callback(Delete(std::move(params)));
}
void Connection::AsyncTake(TakeParams params, Callback<TakeResult> callback) {
  callback(Take(std::move(params)));
}
void Connection::AsyncIncrement(IncrementParams params, Callback<IncrementResult> callback) {
  callback(Increment(std::move(params)));
}
void Connection::AsyncAppend(AppendParams params, Callback<AppendResult> callback) {
  callback(Append(std::move(params)));
}
void Connection::AsyncTouch(TouchParams params, Callback<TouchResult> callback) {
  callback(Touch(std::move(params)));
}
void Connection::AsyncRunBatch(BatchParams params, Callback<BatchResult> callback) {
  callback(RunBatch(std::move(params)));
}
void Connection::AsyncCount(CountParams params, Callback<CountResult> callback) {
  callback(Count(std::move(params)));
}
void Connection::AsyncDeleteRange(DeleteRangeParams params, Callback<DeleteRangeResult> callback) {
  callback(DeleteRange(std::move(params)));
}

std::unique_ptr<ScanSource> Connection::Scan(ScanParams) { return std::make_unique<FailingScan>(); }

std::unique_ptr<PipelineBackend> Connection::OpenPipeline(PipelineParams) {
  return std::make_unique<FailingPipeline>();
}

}  // namespace tarn
