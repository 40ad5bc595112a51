// Waits for a moment in time, or to be woken.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"

namespace tarn::base {

// A timer of the kernel's on CLOCK_BOOTTIME. A condition variable would not do: what absl's waits
// for is a time of the wall clock, so that setting that clock back makes it late by as much; and
// the monotonic one stands still while the machine sleeps.
//
// One thread waits, any may ring.
class Alarm {
 public:
  // RESOURCE_EXHAUSTED when the process has no file descriptors left.
  static absl::StatusOr<std::unique_ptr<Alarm>> Create();
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // Returns when so many milliseconds have passed (none: never by that), or at once when Ring was
  // called since the last return; now and then for no reason.
  void Wait(std::optional<int64_t> milliseconds);

  void Ring();

 private:
  Alarm(int timer, int bell) : timer_(timer), bell_(bell) {}

  const int timer_;
  const int bell_;
};

}  // namespace tarn::base
