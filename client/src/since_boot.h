// A clock that goes on while the machine sleeps, as the server's does.
#pragma once

#include <time.h>

#include <chrono>

namespace tarn::internal {

inline std::chrono::milliseconds SinceBoot() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace tarn::internal
