// Ctrl-C and SIGTERM: the first asks the command to end, and ends the process if it does not within
// a second; the second ends it at once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace tarn::cli {

// One in a process. Made before any other thread, so that all of them leave the signals to it.
class Interrupt {
 public:
  Interrupt();

  bool requested() const;
  // Waits, unless it is or gets requested.
  void Wait(std::chrono::milliseconds span);

 private:
  void Watch();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool requested_ = false;
};

}  // namespace tarn::cli
