#include "client/cli/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <thread>

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

void Interrupt::Watch() {
  const sigset_t signals = Signals();
  int number = 0;
  sigwait(&signals, &number);
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
