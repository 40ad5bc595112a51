// When a failed call is repeated. Policies are values: options hold a prototype, and each call
// clones it.
//
// What may be repeated at all is not a matter of policy; it follows from the error (see
// docs/libtarn.md):
//   - the server, or the lack of a connection, says that nothing was done: any call may be
//   repeated;
//   - the outcome is unknown: a read, a write that carries a request id, and a write that the
//   IdempotencyPolicy calls idempotent;
//   - all others are final.
// Nothing is repeated beyond the caller's deadline, and never sooner than the server asked for
// (RetryInfo). When an attempt of unknown outcome is followed by one that fails, the call as a
// whole is of unknown outcome, and says so; with a request id only where the server cannot tell.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "tarn/operation.h"
#include "tarn/types.h"

namespace tarn {

// How often, or how long, one call is repeated. Used by one thread at a time.
class RetryPolicy {
 public:
  virtual ~RetryPolicy() = default;
  // A fresh policy with the same settings, for one call.
  virtual std::unique_ptr<RetryPolicy> Clone() const = 0;
  // Called after each failed attempt that may be repeated: whether it shall be.
  virtual bool OnFailure(const absl::Status& status) = 0;
};

// Repeats up to `max_retries` times: 3 means at most 4 attempts; 0 never repeats.
class LimitedRetryPolicy : public RetryPolicy {
 public:
  explicit LimitedRetryPolicy(int max_retries) : max_retries_(max_retries) {}
  std::unique_ptr<RetryPolicy> Clone() const override;
  bool OnFailure(const absl::Status& status) override;

 private:
  const int max_retries_;
  int retries_ = 0;
};

// Repeats until `span` has passed since the first attempt began.
class LimitedTimeRetryPolicy : public RetryPolicy {
 public:
  using Now = std::function<std::chrono::steady_clock::time_point()>;
  explicit LimitedTimeRetryPolicy(std::chrono::milliseconds span, Now now = {});
  std::unique_ptr<RetryPolicy> Clone() const override;
  bool OnFailure(const absl::Status& status) override;

 private:
  const std::chrono::milliseconds span_;
  const Now now_;
  const std::chrono::steady_clock::time_point end_;
};

// How long to wait between two attempts. Used by one thread at a time.
class BackoffPolicy {
 public:
  virtual ~BackoffPolicy() = default;
  virtual std::unique_ptr<BackoffPolicy> Clone() const = 0;
  // The pause before the next attempt.
  virtual std::chrono::nanoseconds Next() = 0;
};

// Exponential with full jitter: the n-th pause is drawn evenly from 0 to min(cap, base * 2^n). Full
// jitter is what spreads the clients of a server that came back.
class ExponentialBackoffPolicy : public BackoffPolicy {
 public:
  // Draws from [0, 1); empty = a generator of its own. Must be thread-safe: clones share it.
  using Uniform = std::function<double()>;
  ExponentialBackoffPolicy(std::chrono::milliseconds base, std::chrono::milliseconds cap,
                           Uniform uniform = {});
  std::unique_ptr<BackoffPolicy> Clone() const override;
  std::chrono::nanoseconds Next() override;

 private:
  const std::chrono::milliseconds base_;
  const std::chrono::milliseconds cap_;
  const Uniform uniform_;
  std::chrono::nanoseconds ceiling_;
};

enum class Idempotency { kIdempotent, kNonIdempotent };

// Which writes may be sent again when it is not known whether they were done. Thread-safe.
class IdempotencyPolicy {
 public:
  virtual ~IdempotencyPolicy() = default;
  virtual Idempotency OfOperation(OperationKind kind, Precondition::Kind precondition) const = 0;
  virtual Idempotency OfDeleteRange() const = 0;
  // Whether writes that are not idempotent, or whose repetition would be answered differently, get
  // a request id: then the server recognises the repetition, and any write may be repeated.
  virtual bool UsesRequestIds() const { return true; }

  // A batch is idempotent if each of its operations is.
  Idempotency OfBatch(const Batch& batch) const;
};

// The contract's own view, and the default: get, put, delete and touch; take, increment and append
// only when a precondition on a revision, or on absence for the latter two, keeps them from being
// done twice.
class StrictIdempotencyPolicy : public IdempotencyPolicy {
 public:
  Idempotency OfOperation(OperationKind kind, Precondition::Kind precondition) const override;
  Idempotency OfDeleteRange() const override;
};

// Never repeats a write of unknown outcome. For those to whom a late repetition, which may
// overwrite what another client wrote in between, is worse than an error.
class ReadsOnlyIdempotencyPolicy : public IdempotencyPolicy {
 public:
  Idempotency OfOperation(OperationKind kind, Precondition::Kind precondition) const override;
  Idempotency OfDeleteRange() const override;
  bool UsesRequestIds() const override { return false; }
};

}  // namespace tarn
