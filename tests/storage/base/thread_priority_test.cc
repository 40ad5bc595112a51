#include "storage/base/thread_priority.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "tests/catch.h"

namespace tarn::base {
namespace {

int NiceOfThisThread() { return getpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid))); }

TEST_CASE("A thread that lowers its priority gives way, and only that thread") {
  const int before = NiceOfThisThread();
  int inside = 0;
  std::thread([&] {
    LowerThisThreadsPriority();
    inside = NiceOfThisThread();
  }).join();
  // The tests themselves may have been started with a low priority.
  if (before < 3) CHECK(inside > before);
  CHECK(inside >= before);
  CHECK(NiceOfThisThread() == before);
}

TEST_CASE("A priority that is low already is not raised") {
  int inside = 0;
  std::thread([&] {
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 19);
    LowerThisThreadsPriority();
    inside = NiceOfThisThread();
  }).join();
  CHECK(inside == 19);
}

TEST_CASE("A thread knows how long it has run") {
  const ThreadTimes before = TimesOfThisThread();
  ThreadTimes now = before;
  // The kernel counts at its ticks.
  for (int i = 0; i < 10'000'000 && now.ran_nanos == before.ran_nanos; ++i)
    now = TimesOfThisThread();
  CHECK(now.ran_nanos > before.ran_nanos);
  CHECK(now.waited_nanos >= before.waited_nanos);
}

}  // namespace
}  // namespace tarn::base
