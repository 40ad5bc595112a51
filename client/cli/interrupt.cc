#include "client/cli/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <thread>
#include <utility>

#include "client/cli/exit_code.h"

namespace tarn::cli {
namespace {

sigset_t Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

Interrupt::Interrupt() {
  const sigset_t signals = Signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([this] { Watch(); }).detach();
}

bool Interrupt::requested() const {
  const std::lock_guard lock(mutex_);
  return requested_;
}

void Interrupt::Wait(std::chrono::milliseconds span) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, span, [this] { return requested_; });
}

void Interrupt::Forward(std::function<void(int number)> forward) {
  const std::lock_guard lock(mutex_);
  forward_ = std::move(forward);
}

// A terminal sends its signals to all programs in the foreground.
bool Interrupt::Forwarded(const siginfo_t& signal) {
  const std::lock_guard lock(mutex_);
  if (!forward_) return false;
  if (signal.si_code != SI_KERNEL) forward_(signal.si_signo);
  return true;
}

void Interrupt::Watch() {
  const sigset_t signals = Signals();
  siginfo_t signal{};
  do {
    signal = {};
    sigwaitinfo(&signals, &signal);
  } while (signal.si_signo == 0 || Forwarded(signal));
  {
    const std::lock_guard lock(mutex_);
    requested_ = true;
    changed_.notify_all();
  }
  const timespec patience{.tv_sec = 1, .tv_nsec = 0};
  sigtimedwait(&signals, nullptr, &patience);
  // What is blocked in a call has nothing to tidy up; without this the streams' destructors would
  // wait for it.
  _exit(static_cast<int>(ExitCode::kInterrupted));
}

}  // namespace tarn::cli
