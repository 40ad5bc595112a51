// Time as Tarn sees it. No other file of the daemon asks the operating system for it.
#pragma once

#include <atomic>
#include <cstdint>

namespace tarn::base {

// Milliseconds since the Unix epoch, on Tarn's clock.
using UnixMs = int64_t;

// The deadline of an entry that never expires.
inline constexpr UnixMs kNever = 0;

// Whether a deadline has passed: an entry lives strictly before its deadline.
constexpr bool HasExpired(UnixMs deadline, UnixMs now) {
  return deadline != kNever && deadline <= now;
}

// Thread-safe. Injected wherever time matters, so that tests can own it.
class Clock {
 public:
  virtual ~Clock() = default;

  // Tarn's wall time: never goes back while the process lives, whatever happens to the system's
  // clock.
  virtual UnixMs Now() const = 0;

  // Nanoseconds of a clock that only measures spans; it has no meaning across processes.
  virtual int64_t MonotonicNanos() const = 0;
};

// The wall time at construction (at least `floor`, the last time known to have been persisted),
// advanced by CLOCK_BOOTTIME, which also runs while the machine is suspended.
class SystemClock final : public Clock {
 public:
  explicit SystemClock(UnixMs floor = 0);

  UnixMs Now() const override;
  int64_t MonotonicNanos() const override;

  // How far the system's wall clock has been moved since the start, against what has elapsed; near
  // 0 when nobody touched it. A floor that held at the start is not drift.
  int64_t WallClockDriftMs() const;

 private:
  int64_t ElapsedMs() const;

  const UnixMs system_wall_at_start_;
  const UnixMs wall_at_start_;
  const int64_t boottime_at_start_ns_;
};

// A clock that stands still until it is told to move.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(UnixMs now) : now_ms_(now) {}

  UnixMs Now() const override { return now_ms_.load(std::memory_order_relaxed); }
  int64_t MonotonicNanos() const override { return Now() * 1'000'000; }
  void Advance(int64_t milliseconds) { now_ms_.fetch_add(milliseconds, std::memory_order_relaxed); }

 private:
  std::atomic<UnixMs> now_ms_;
};

}  // namespace tarn::base
