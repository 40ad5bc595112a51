#include "storage/base/alarm.h"

#include <sys/resource.h>

#include <thread>

#include "storage/base/clock.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::base {
namespace {

TEST_CASE("an alarm goes off after its time, and not before") {
  const auto alarm = testing::Value(Alarm::Create());
  const SystemClock clock;
  const int64_t begun = clock.MonotonicNanos();
  alarm->Wait(20);
  CHECK(clock.MonotonicNanos() - begun >= 19'000'000);
}

TEST_CASE("an alarm whose time has come goes off at once") {
  const auto alarm = testing::Value(Alarm::Create());
  alarm->Wait(0);
  alarm->Wait(-5);
}

TEST_CASE("whoever rings wakes the one who waits, also before the waiting has begun") {
  const auto alarm = testing::Value(Alarm::Create());
  alarm->Ring();
  alarm->Ring();
  alarm->Wait(std::nullopt);
  std::thread ringer([&] { alarm->Ring(); });
  alarm->Wait(std::nullopt);
  ringer.join();
}

TEST_CASE("without file descriptors there is no alarm") {
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = 3;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto alarm = Alarm::Create();
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(absl::IsResourceExhausted(alarm.status()));
}

}  // namespace
}  // namespace tarn::base
