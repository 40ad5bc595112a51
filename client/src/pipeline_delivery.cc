#include "client/src/pipeline_delivery.h"

#include <utility>

#include "absl/status/statusor.h"
#include "client/src/convert.h"
#include "client/src/status_mapping.h"

namespace tarn::internal {
namespace {

absl::Status MissingResult() {
  return OutcomeUnknown(absl::InternalError("the server's answer lacks a result"));
}

absl::StatusOr<OperationResult> TakeResultAt(v1::PipelineResponse& response, size_t index) {
  if (index >= static_cast<size_t>(response.results_size())) return MissingResult();
  OperationResult result = TakeOperationResult(*response.mutable_results(static_cast<int>(index)));
  if (!result.status.ok()) return std::move(result.status);
  return result;
}

absl::StatusOr<BatchResult> TakeBatchResult(v1::PipelineResponse& response, size_t operations) {
  if (static_cast<size_t>(response.results_size()) != operations) return MissingResult();
  BatchResult result;
  result.revision = response.revision();
  result.results.reserve(operations);
  for (v1::OperationResult& one : *response.mutable_results()) {
    result.results.push_back(TakeOperationResult(one));
  }
  return result;
}

}  // namespace

void Delivery::CallBack() {
  if (failure.ok() && response->has_status()) failure = FromProto(response->status());
  if (message->is_batch()) {
    if (!failure.ok()) return message->batch_callback(failure);
    return message->batch_callback(TakeBatchResult(*response, message->operations()));
  }
  for (size_t i = 0; i < message->operation_callbacks.size(); ++i) {
    const auto& callback = message->operation_callbacks[i];
    if (callback == nullptr) continue;
    failure.ok() ? callback(TakeResultAt(*response, i)) : callback(failure);
  }
}

}  // namespace tarn::internal
