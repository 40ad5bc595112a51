// Whether and when a failed call is repeated: the table of proto/tarn/v1/errors.proto, applied to
// one call.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "client/src/world.h"
#include "tarn/policies.h"

namespace tarn::internal {

enum class Access { kRead, kWrite };

struct CallKind {
  const char* name;  // As in the contract, for messages.
  Access access;
  Idempotency idempotency;
  // The server knows by an id what became of earlier attempts: what it answers is true of them too.
  bool has_request_id = false;
};

// One for each call. Used by one thread at a time.
class Retrier {
 public:
  Retrier(CallKind kind, std::unique_ptr<RetryPolicy> retry, std::unique_ptr<BackoffPolicy> backoff,
          TimePoint deadline, std::function<TimePoint()> now);

  // After a failed attempt: how long to wait before the next one, or nullopt when the call has
  // failed.
  std::optional<std::chrono::nanoseconds> OnFailure(const absl::Status& status);

  // Why the call failed, once OnFailure has given up.
  const absl::Status& failure() const { return failure_; }

 private:
  bool MayRepeat(const absl::Status& status) const;
  // Nullopt if it would end after the deadline.
  std::optional<std::chrono::nanoseconds> Pause(const absl::Status& status);
  absl::Status Final(const absl::Status& status) const;

  CallKind kind_;
  std::unique_ptr<RetryPolicy> retry_;
  std::unique_ptr<BackoffPolicy> backoff_;
  TimePoint deadline_;
  std::function<TimePoint()> now_;
  int attempts_ = 0;
  bool may_be_done_ = false;  // A write, and an earlier attempt had an unknown outcome.
  absl::Status failure_;
};

}  // namespace tarn::internal
