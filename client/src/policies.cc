#include "tarn/policies.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <random>
#include <utility>

namespace tarn {
namespace {

ExponentialBackoffPolicy::Uniform OwnGenerator() {
  struct Generator {
    std::mutex mutex;
    std::mt19937_64 engine{std::random_device{}()};
  };
  return [generator = std::make_shared<Generator>()] {
    const std::lock_guard lock(generator->mutex);
    return std::uniform_real_distribution<double>(0.0, 1.0)(generator->engine);
  };
}

}  // namespace

std::unique_ptr<RetryPolicy> LimitedRetryPolicy::Clone() const {
  return std::make_unique<LimitedRetryPolicy>(max_retries_);
}

bool LimitedRetryPolicy::OnFailure(const absl::Status&) { return retries_++ < max_retries_; }

LimitedTimeRetryPolicy::LimitedTimeRetryPolicy(std::chrono::milliseconds span, Now now)
    : span_(span),
      now_(now ? std::move(now) : [] { return std::chrono::steady_clock::now(); }),
      end_(now_() + span) {}

std::unique_ptr<RetryPolicy> LimitedTimeRetryPolicy::Clone() const {
  return std::make_unique<LimitedTimeRetryPolicy>(span_, now_);
}

bool LimitedTimeRetryPolicy::OnFailure(const absl::Status&) { return now_() < end_; }

ExponentialBackoffPolicy::ExponentialBackoffPolicy(std::chrono::milliseconds base,
                                                   std::chrono::milliseconds cap, Uniform uniform)
    : base_(base),
      cap_(cap),
      uniform_(uniform ? std::move(uniform) : OwnGenerator()),
      ceiling_(std::min(base, cap)) {}

std::unique_ptr<BackoffPolicy> ExponentialBackoffPolicy::Clone() const {
  return std::make_unique<ExponentialBackoffPolicy>(base_, cap_, uniform_);
}

std::chrono::nanoseconds ExponentialBackoffPolicy::Next() {
  const auto ceiling = ceiling_;
  ceiling_ = std::min<std::chrono::nanoseconds>(2 * ceiling_, cap_);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(ceiling * uniform_());
}

Idempotency IdempotencyPolicy::OfBatch(const Batch& batch) const {
  const bool all = std::ranges::all_of(batch.operations(), [this](const Operation& operation) {
    return OfOperation(operation.kind, operation.precondition.kind()) == Idempotency::kIdempotent;
  });
  return all ? Idempotency::kIdempotent : Idempotency::kNonIdempotent;
}

Idempotency StrictIdempotencyPolicy::OfOperation(OperationKind kind,
                                                 Precondition::Kind precondition) const {
  const bool once = precondition == Precondition::Kind::kRevision;
  switch (kind) {
    case OperationKind::kTake:
      return once ? Idempotency::kIdempotent : Idempotency::kNonIdempotent;
    case OperationKind::kIncrement:
    case OperationKind::kAppend:
      return once || precondition == Precondition::Kind::kAbsent ? Idempotency::kIdempotent
                                                                 : Idempotency::kNonIdempotent;
    default:
      return Idempotency::kIdempotent;
  }
}

Idempotency StrictIdempotencyPolicy::OfDeleteRange() const { return Idempotency::kIdempotent; }

Idempotency ReadsOnlyIdempotencyPolicy::OfOperation(OperationKind kind, Precondition::Kind) const {
  return kind == OperationKind::kGet ? Idempotency::kIdempotent : Idempotency::kNonIdempotent;
}

Idempotency ReadsOnlyIdempotencyPolicy::OfDeleteRange() const {
  return Idempotency::kNonIdempotent;
}

}  // namespace tarn
