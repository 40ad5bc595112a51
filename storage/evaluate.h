// What one operation does to one entry: the meaning that every engine shares.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/base/clock.h"
#include "storage/batch.h"
#include "storage/limits.h"

namespace tarn::storage {

// The live entry an operation finds; an expired one is as good as none.
struct Found {
  bool found = false;
  Revision revision = 0;
  base::UnixMs deadline = base::kNever;
  absl::string_view value;
};

// What must happen to the entry.
struct Effect {
  enum class Kind : uint8_t { kNothing, kWrite, kErase };
  Kind kind = Kind::kNothing;
  base::UnixMs deadline = base::kNever;
  // kWrite: the new value is `head` followed by `tail`, which view the operation, the entry found,
  // or `digits`.
  absl::string_view head;
  absl::string_view tail;

  size_t value_size() const { return head.size() + tail.size(); }
};

// Judges the preconditions and computes the effect. Errors: REVISION_MISMATCH, ALREADY_EXISTS,
// KEY_NOT_FOUND, NOT_AN_INTEGER, INTEGER_OVERFLOW, VALUE_TOO_LARGE. Stays where it was made,
// because `effect` may view `digits`.
struct Evaluation {
  Evaluation(const Operation& operation, const Found& entry, const Limits& limits);
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  absl::Status status;  // An error: the operation must not be done.
  Effect effect;
  int64_t number = 0;  // Of an add: the sum.
  char digits[24];     // The sum's text.
};

// Fills in what a result says of an operation that was done: `revision` is the commit's. Copies no
// value.
OperationResult ResultOf(const Operation& operation, const Found& entry,
                         const Evaluation& evaluation, Revision revision);

// Parses the canonical decimal form of a 64-bit integer: no plus sign, no leading zeros, no "-0".
std::optional<int64_t> ParseInteger(absl::string_view text);

}  // namespace tarn::storage
