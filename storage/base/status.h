// Macros for functions that return absl::Status or absl::StatusOr.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define TARN_STATUS_CONCAT_INNER(a, b) a##b
#define TARN_STATUS_CONCAT(a, b) TARN_STATUS_CONCAT_INNER(a, b)

// Returns from the current function when `expression` is an error.
#define TARN_RETURN_IF_ERROR(expression)         \
  do {                                           \
    absl::Status tarn_status_ = (expression);    \
    if (!tarn_status_.ok()) return tarn_status_; \
  } while (false)

#define TARN_ASSIGN_OR_RETURN_IMPL(status_or, target, expression) \
  auto status_or = (expression);                                  \
  if (!status_or.ok()) return std::move(status_or).status();      \
  target = *std::move(status_or)

// Assigns the value of a StatusOr to `target` (which may be a declaration), or returns its error.
#define TARN_ASSIGN_OR_RETURN(target, expression) \
  TARN_ASSIGN_OR_RETURN_IMPL(TARN_STATUS_CONCAT(tarn_status_or_, __LINE__), target, expression)
