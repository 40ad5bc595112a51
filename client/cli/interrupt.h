// Ctrl-C and SIGTERM: the first asks the command to end, and ends the process if it does not within
// a second; the second ends it at once.
#pragma once

#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace tarn::cli {

// One in a process. Made before any other thread, so that all of them leave the signals to it.
class Interrupt {
 public:
  Interrupt();

  bool requested() const;
  // Waits, unless it is or gets requested.
  void Wait(std::chrono::milliseconds span);

  // From now on every signal goes to `forward` instead, except a Ctrl-C at the
  // terminal: whoever is to hear of that has heard it.
  void Forward(std::function<void(int number)> forward);

 private:
  void Watch();
  bool Forwarded(const siginfo_t& signal);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool requested_ = false;
  std::function<void(int number)> forward_;
};

}  // namespace tarn::cli
