#include "storage/base/clock.h"

#include <time.h>

#include <algorithm>

namespace tarn::base {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kNanosPerMillisecond = 1'000'000;

int64_t ReadNanos(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * kNanosPerSecond + now.tv_nsec;
}

int64_t WallMs() { return ReadNanos(CLOCK_REALTIME) / kNanosPerMillisecond; }

}  // namespace

SystemClock::SystemClock(UnixMs floor)
    : system_wall_at_start_(WallMs()),
      wall_at_start_(std::max(system_wall_at_start_, floor)),
      boottime_at_start_ns_(ReadNanos(CLOCK_BOOTTIME)) {}

UnixMs SystemClock::Now() const { return wall_at_start_ + ElapsedMs(); }

int64_t SystemClock::MonotonicNanos() const { return ReadNanos(CLOCK_MONOTONIC); }

int64_t SystemClock::WallClockDriftMs() const {
  return WallMs() - (system_wall_at_start_ + ElapsedMs());
}

int64_t SystemClock::ElapsedMs() const {
  return (ReadNanos(CLOCK_BOOTTIME) - boottime_at_start_ns_) / kNanosPerMillisecond;
}

}  // namespace tarn::base
