#include "storage/base/clock.h"

#include <chrono>
#include <cstdlib>

#include "tests/catch.h"

namespace tarn::base {
namespace {

constexpr UnixMs kHour = 3'600'000;

UnixMs SystemNow() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

TEST_CASE("Tarn's clock begins with the system's") {
  const UnixMs before = SystemNow();
  const SystemClock clock;
  const UnixMs shown = clock.Now();
  // Read behind it, however long the machine lets the test wait in between.
  const UnixMs after = SystemNow();
  CHECK(shown >= before);
  CHECK(shown <= after + 1);
}

TEST_CASE("Tarn's clock never shows a time before the one last persisted") {
  const UnixMs persisted = SystemNow() + kHour;
  const SystemClock clock(persisted);
  CHECK(clock.Now() >= persisted);
  CHECK(clock.Now() < persisted + kHour);
}

TEST_CASE("a persisted time in the past does not hold the clock back") {
  const SystemClock clock(SystemNow() - kHour);
  CHECK(clock.Now() > SystemNow() - kHour / 2);
}

TEST_CASE("the system's clock has not drifted, whatever the floor was") {
  // What passes between two looks at the time counts as drift: far less than the floor is ahead.
  CHECK(std::abs(SystemClock().WallClockDriftMs()) < kHour / 2);
  CHECK(std::abs(SystemClock(SystemNow() + kHour).WallClockDriftMs()) < kHour / 2);
}

TEST_CASE("spans are never negative") {
  const SystemClock clock;
  int64_t last = clock.MonotonicNanos();
  for (int i = 0; i < 1000; ++i) {
    const int64_t now = clock.MonotonicNanos();
    CHECK(now >= last);
    last = now;
  }
}

TEST_CASE("an entry lives strictly before its deadline") {
  CHECK_FALSE(HasExpired(1000, 999));
  CHECK(HasExpired(1000, 1000));
  CHECK(HasExpired(1000, 1001));
  CHECK_FALSE(HasExpired(kNever, 1 << 30));
}

TEST_CASE("a manual clock stands still until it is moved") {
  ManualClock clock(5000);
  CHECK(clock.Now() == 5000);
  clock.Advance(70);
  CHECK(clock.Now() == 5070);
  CHECK(clock.MonotonicNanos() == 5'070'000'000);
}

}  // namespace
}  // namespace tarn::base
