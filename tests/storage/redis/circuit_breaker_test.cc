#include "storage/redis/circuit_breaker.h"

#include "tests/catch.h"

namespace tarn::storage::redis {
namespace {

using Permit = CircuitBreaker::Permit;
using State = CircuitBreaker::State;

// Opens after 3 failures for 1 s, at most 4 s; a probe has 5 s.
struct Subject {
  base::ManualClock clock{1'000'000};
  CircuitBreaker breaker{
      clock,
      {.failures_to_open = 3, .open_ms = 1000, .max_open_ms = 4000, .probe_patience_ms = 5000}};

  void Fail(int times) {
    for (int i = 0; i < times; ++i) breaker.RecordFailure(breaker.Ask());
  }
  // After the pause: one probe, which fails.
  void FailProbe(int64_t pause_ms) {
    clock.Advance(pause_ms);
    REQUIRE(breaker.Ask() == Permit::kProbe);
    breaker.RecordFailure(Permit::kProbe);
  }
};

TEST_CASE("a breaker lets requests through until enough have failed in a row") {
  Subject subject;
  subject.Fail(2);
  CHECK(subject.breaker.state() == State::kClosed);
  subject.breaker.RecordSuccess(subject.breaker.Ask());
  subject.Fail(2);
  CHECK(subject.breaker.state() == State::kClosed);
  subject.Fail(1);
  CHECK(subject.breaker.state() == State::kOpen);
  CHECK(subject.breaker.Ask() == Permit::kRefused);
  CHECK(subject.breaker.times_opened() == 1);
}

TEST_CASE("an open breaker lets one probe through when its time is over") {
  Subject subject;
  subject.Fail(3);
  subject.clock.Advance(999);
  CHECK(subject.breaker.Ask() == Permit::kRefused);
  subject.clock.Advance(1);
  CHECK(subject.breaker.Ask() == Permit::kProbe);
  CHECK(subject.breaker.state() == State::kHalfOpen);
  CHECK(subject.breaker.Ask() == Permit::kRefused);
}

TEST_CASE("a probe that succeeds closes the breaker") {
  Subject subject;
  subject.Fail(3);
  subject.clock.Advance(1000);
  subject.breaker.RecordSuccess(subject.breaker.Ask());
  CHECK(subject.breaker.state() == State::kClosed);
  subject.Fail(2);  // Counted from the beginning.
  CHECK(subject.breaker.state() == State::kClosed);
}

TEST_CASE("each probe that fails doubles the time up to its cap") {
  Subject subject;
  subject.Fail(3);
  subject.FailProbe(1000);
  CHECK(subject.breaker.state() == State::kOpen);
  subject.clock.Advance(1999);
  CHECK(subject.breaker.Ask() == Permit::kRefused);
  subject.FailProbe(1);
  subject.FailProbe(4000);
  subject.FailProbe(4000);
  CHECK(subject.breaker.times_opened() == 1);
}

TEST_CASE("a breaker that closed begins with the short time again") {
  Subject subject;
  subject.Fail(3);
  subject.FailProbe(1000);
  subject.clock.Advance(2000);
  subject.breaker.RecordSuccess(subject.breaker.Ask());
  subject.Fail(3);
  subject.clock.Advance(1000);
  CHECK(subject.breaker.Ask() == Permit::kProbe);
  CHECK(subject.breaker.times_opened() == 2);
}

TEST_CASE("a probe that nobody reports is followed by another") {
  Subject subject;
  subject.Fail(3);
  subject.clock.Advance(1000);
  CHECK(subject.breaker.Ask() == Permit::kProbe);
  subject.clock.Advance(4999);
  CHECK(subject.breaker.Ask() == Permit::kRefused);
  subject.clock.Advance(1);
  CHECK(subject.breaker.Ask() == Permit::kProbe);
}

TEST_CASE("what was sent before a breaker opened does not move it") {
  Subject subject;
  const Permit early = subject.breaker.Ask();
  subject.Fail(3);
  subject.breaker.RecordSuccess(early);
  CHECK(subject.breaker.state() == State::kOpen);
  subject.breaker.RecordFailure(early);
  subject.clock.Advance(1000);
  CHECK(subject.breaker.Ask() == Permit::kProbe);
  subject.breaker.RecordSuccess(early);
  subject.breaker.RecordFailure(early);
  CHECK(subject.breaker.state() == State::kHalfOpen);
}

TEST_CASE("a late word about an old probe does not move a closed breaker") {
  Subject subject;
  subject.Fail(3);
  subject.clock.Advance(1000);
  CHECK(subject.breaker.Ask() == Permit::kProbe);
  subject.breaker.RecordSuccess(Permit::kProbe);
  subject.breaker.RecordFailure(Permit::kProbe);
  CHECK(subject.breaker.state() == State::kClosed);
}

}  // namespace
}  // namespace tarn::storage::redis
