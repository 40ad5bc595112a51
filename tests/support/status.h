// The pieces from which tests speak of statuses.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/base/error.h"

namespace tarn::testing {

// "OK", "ABORTED REVISION_MISMATCH", or the code alone.
inline std::string Brief(const absl::Status& status) {
  std::string brief = absl::StatusCodeToString(status.code());
  const base::Reason reason = base::ReasonOf(status);
  if (reason != base::Reason::kNone) brief += " " + std::string(base::ReasonName(reason));
  return brief;
}
template <typename T>
std::string Brief(const absl::StatusOr<T>& result) {
  return Brief(result.status());
}

// The value, or an exception that fails the test.
template <typename T>
T Value(absl::StatusOr<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return *std::move(result);
}

}  // namespace tarn::testing
