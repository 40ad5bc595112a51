#include "tarn/policies.h"

#include <chrono>

#include "tests/catch.h"

namespace tarn {
namespace {

using std::chrono::milliseconds;

TEST_CASE("three retries are four attempts") {
  LimitedRetryPolicy policy(3);
  int attempts = 1;
  while (policy.OnFailure(absl::UnavailableError(""))) ++attempts;
  CHECK(attempts == 4);
  CHECK_FALSE(LimitedRetryPolicy(0).OnFailure(absl::UnavailableError("")));
}

TEST_CASE("a clone begins anew") {
  LimitedRetryPolicy used(1);
  CHECK(used.OnFailure(absl::UnavailableError("")));
  CHECK_FALSE(used.OnFailure(absl::UnavailableError("")));
  CHECK(used.Clone()->OnFailure(absl::UnavailableError("")));
}

TEST_CASE("retries limited in time end when it has passed since the clone was made") {
  auto now = std::chrono::steady_clock::time_point();
  const LimitedTimeRetryPolicy prototype(milliseconds(100), [&now] { return now; });
  now += milliseconds(500);
  const auto policy = prototype.Clone();
  now += milliseconds(99);
  CHECK(policy->OnFailure(absl::UnavailableError("")));
  now += milliseconds(1);
  CHECK_FALSE(policy->OnFailure(absl::UnavailableError("")));
}

TEST_CASE("the pause doubles up to its cap") {
  ExponentialBackoffPolicy policy(milliseconds(100), milliseconds(350), [] { return 1.0; });
  CHECK(policy.Next() == milliseconds(100));
  CHECK(policy.Next() == milliseconds(200));
  CHECK(policy.Next() == milliseconds(350));
  CHECK(policy.Next() == milliseconds(350));
  CHECK(policy.Clone()->Next() == milliseconds(100));
}

TEST_CASE("the pause is drawn from zero to its ceiling") {
  double draw = 0.0;
  ExponentialBackoffPolicy policy(milliseconds(100), milliseconds(5000), [&draw] { return draw; });
  CHECK(policy.Next() == milliseconds(0));
  draw = 0.25;
  CHECK(policy.Next() == milliseconds(50));
  ExponentialBackoffPolicy own(milliseconds(100), milliseconds(100));
  for (int i = 0; i < 100; ++i) {
    const auto pause = own.Next();
    CHECK((pause >= milliseconds(0) && pause < milliseconds(100)));
  }
}

TEST_CASE("what cannot be done twice is idempotent, and what can is not") {
  using Kind = Precondition::Kind;
  const StrictIdempotencyPolicy policy;
  const auto idempotent = [&policy](OperationKind kind, Kind precondition) {
    return policy.OfOperation(kind, precondition) == Idempotency::kIdempotent;
  };
  for (const auto kind :
       {OperationKind::kGet, OperationKind::kPut, OperationKind::kDelete, OperationKind::kTouch}) {
    for (const auto precondition : {Kind::kNone, Kind::kAbsent, Kind::kPresent, Kind::kRevision}) {
      CHECK(idempotent(kind, precondition));
    }
  }
  for (const auto kind : {OperationKind::kIncrement, OperationKind::kAppend}) {
    CHECK_FALSE(idempotent(kind, Kind::kNone));
    CHECK_FALSE(idempotent(kind, Kind::kPresent));
    CHECK(idempotent(kind, Kind::kAbsent));
    CHECK(idempotent(kind, Kind::kRevision));
  }
  CHECK_FALSE(idempotent(OperationKind::kTake, Kind::kNone));
  CHECK_FALSE(idempotent(OperationKind::kTake, Kind::kAbsent));
  CHECK_FALSE(idempotent(OperationKind::kTake, Kind::kPresent));
  CHECK(idempotent(OperationKind::kTake, Kind::kRevision));
  CHECK(policy.OfDeleteRange() == Idempotency::kIdempotent);
}

TEST_CASE("a batch is idempotent if each of its operations is") {
  const StrictIdempotencyPolicy policy;
  CHECK(policy.OfBatch(Batch::Atomic().Put("a", "1").Get("b")) == Idempotency::kIdempotent);
  CHECK(policy.OfBatch(Batch::Atomic().Put("a", "1").Increment("b", 1)) ==
        Idempotency::kNonIdempotent);
}

TEST_CASE("with the policy for reads only no write is idempotent") {
  const ReadsOnlyIdempotencyPolicy policy;
  CHECK(policy.OfOperation(OperationKind::kGet, Precondition::Kind::kNone) ==
        Idempotency::kIdempotent);
  CHECK(policy.OfOperation(OperationKind::kPut, Precondition::Kind::kRevision) ==
        Idempotency::kNonIdempotent);
  CHECK(policy.OfDeleteRange() == Idempotency::kNonIdempotent);
}

}  // namespace
}  // namespace tarn
