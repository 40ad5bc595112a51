#include "tarn/pipeline.h"

#include <memory>
#include <utility>

namespace tarn {
namespace {

template <typename Result, typename Item>
std::future<absl::StatusOr<Result>> AddWithFuture(PipelineBackend& backend, Item item) {
  auto promise = std::make_shared<std::promise<absl::StatusOr<Result>>>();
  std::future<absl::StatusOr<Result>> future = promise->get_future();
  const absl::Status taken = backend.Add(std::move(item), [promise](absl::StatusOr<Result> result) {
    promise->set_value(std::move(result));
  });
  if (!taken.ok()) promise->set_value(taken);
  return future;
}

}  // namespace

std::future<absl::StatusOr<OperationResult>> Pipeline::Add(Operation operation) {
  return AddWithFuture<OperationResult>(*backend_, std::move(operation));
}

std::future<absl::StatusOr<BatchResult>> Pipeline::Add(Batch batch) {
  return AddWithFuture<BatchResult>(*backend_, std::move(batch));
}

}  // namespace tarn
