// Everything that is checked about a batch before an engine sees it.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "storage/base/clock.h"
#include "storage/batch.h"
#include "storage/limits.h"

namespace tarn::storage {

// The last millisecond of the year 9999: the latest deadline that every format of time can show.
inline constexpr base::UnixMs kMaxDeadline = 253'402'300'799'999;

// Of the batch as a whole: INVALID_REQUEST (no operations), BATCH_TOO_LARGE.
absl::Status CheckBatchSize(size_t operations, const Limits& limits);

// An operation that was refused.
struct Refusal {
  size_t index = 0;
  absl::Status status;
};

// The first mutation of a key that an earlier one mutates already (DUPLICATE_KEY). Takes time in
// proportion to the batch.
std::optional<Refusal> FindDuplicateMutation(absl::Span<const Operation> operations);

// Checks operations one by one and completes them for the engine: namespace, deadline and its rule.
// Doing it again is allowed, and judges the deadline anew. Lives as long as one batch.
class Admission {
 public:
  Admission(const Limits& limits, const base::Clock& clock, NamespaceId ns, int64_t default_ttl_ms)
      : limits_(limits), clock_(clock), ns_(ns), default_ttl_ms_(default_ttl_ms) {}

  // INVALID_KEY, KEY_TOO_LARGE, VALUE_TOO_LARGE, INVALID_TTL, INVALID_PRECONDITION.
  absl::Status Admit(Operation& operation);

 private:
  absl::Status ResolveDeadline(Operation& operation);
  base::UnixMs Now();

  const Limits& limits_;
  const base::Clock& clock_;
  const NamespaceId ns_;
  const int64_t default_ttl_ms_;
  std::optional<base::UnixMs>
      now_;  // One for the batch, and none is asked for when none is needed.
};

}  // namespace tarn::storage
