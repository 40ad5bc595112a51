// A Connection to a FakeStore.
#pragma once

#include <memory>
#include <utility>

#include "tarn/connection.h"
#include "tarn/testing/fake_store.h"

namespace tarn::testing {

// Answers at once, on the caller's thread; that holds for asynchronous calls and pipelines too.
// Repeats nothing: an error that the store is told to raise arrives as it is. Thread-safe; any
// number of connections may share a store.
class FakeConnection : public Connection {
 public:
  explicit FakeConnection(std::shared_ptr<FakeStore> store) : store_(std::move(store)) {}

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
  std::unique_ptr<ScanSource> Scan(ScanParams params) override;
  std::unique_ptr<PipelineBackend> OpenPipeline(PipelineParams params) override;

 private:
  const std::shared_ptr<FakeStore> store_;
};

}  // namespace tarn::testing
