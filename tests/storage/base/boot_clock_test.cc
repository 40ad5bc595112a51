#include "storage/base/boot_clock.h"

#include "tests/catch.h"

namespace tarn::base {
namespace {

TEST_CASE("the machine says which boot this is, and how long ago it was") {
  const SystemBootClock first;
  const SystemBootClock second;
  CHECK(first.BootId().size() == 36);
  CHECK(first.BootId() == second.BootId());
  const int64_t earlier = first.SinceBootMs();
  CHECK(earlier > 0);
  CHECK(second.SinceBootMs() >= earlier);
  CHECK(TheSystemBootClock().BootId() == first.BootId());
}

TEST_CASE("a clock of a test's own boots when it is told to") {
  ManualBootClock clock("one");
  clock.Advance(5);
  CHECK(clock.SinceBootMs() == 5);
  clock.Reboot("two");
  CHECK(clock.BootId() == "two");
  CHECK(clock.SinceBootMs() == 0);
}

}  // namespace
}  // namespace tarn::base
