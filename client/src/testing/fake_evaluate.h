// What one operation does to one entry of a FakeStore.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tarn/admin.h"
#include "tarn/operation.h"
#include "tarn/results.h"
#include "tarn/types.h"

namespace tarn::testing {

struct FakeChange {
  enum class Kind { kNothing, kWrite, kErase };
  Kind kind = Kind::kNothing;
  Entry entry;             // What to write, but for its revision.
  OperationResult result;  // But for the revision of what changes something.
};

// What can be said without the entry: INVALID_KEY, KEY_TOO_LARGE, VALUE_TOO_LARGE, INVALID_TTL,
// INVALID_PRECONDITION.
absl::Status CheckOperation(const Operation& operation);

// INVALID_TTL unless it is positive and not too long.
absl::Status CheckTtl(std::chrono::milliseconds ttl);

// `entry` is the live one, or null. Errors: ALREADY_EXISTS, KEY_NOT_FOUND, REVISION_MISMATCH,
// NOT_AN_INTEGER, INTEGER_OVERFLOW, VALUE_TOO_LARGE.
absl::StatusOr<FakeChange> EvaluateOperation(const Operation& operation, const Entry* entry,
                                             const NamespaceSettings& settings, Timestamp now);

}  // namespace tarn::testing
