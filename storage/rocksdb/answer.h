// What the read path and the commit path share about answers.
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/batch.h"
#include "storage/evaluate.h"
#include "storage/limits.h"

namespace tarn::storage::rocks {

// Keeps the answer to one batch within what a client can receive.
class ResponseMeter {
 public:
  ResponseMeter(const Limits& limits, size_t operations)
      : limit_(limits.max_response_bytes), used_(operations * kResultOverheadBytes) {}

  // INVALID_ARGUMENT (RESPONSE_TOO_LARGE), counting nothing, when so many bytes more are too many.
  absl::Status Add(size_t value_bytes);

 private:
  const size_t limit_;
  size_t used_;
};

// The value that the result of the operation carries.
inline absl::string_view ReturnedValue(const Operation& operation, const Found& entry) {
  const bool returns =
      operation.kind == OperationKind::kGet || operation.kind == OperationKind::kTake;
  return returns ? entry.value : absl::string_view();
}

// The result of an operation that was not done.
inline OperationResult NotDone(absl::Status status) {
  OperationResult result;
  result.status = std::move(status);
  return result;
}

// Turns the whole batch into one that was not done.
inline void Refuse(BatchResult& result, absl::Status status, size_t operation = 0) {
  result.status = std::move(status);
  result.failed_operation = operation;
  result.revision = 0;
  result.results.clear();
}

}  // namespace tarn::storage::rocks
