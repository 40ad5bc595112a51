#include "server/signals.h"

#include <signal.h>

#include <ctime>

namespace tarn::server {
namespace {

sigset_t Awaited() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace

void BlockSignals() {
  const sigset_t signals = Awaited();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

Signal WaitForSignal(absl::Duration timeout) {
  const sigset_t signals = Awaited();
  const timespec time = absl::ToTimespec(timeout);
  switch (sigtimedwait(&signals, nullptr, &time)) {
    case SIGTERM:
    case SIGINT:
      return Signal::kStop;
    case SIGHUP:
      return Signal::kReload;
    default:
      return Signal::kNone;
  }
}

void PostponeReload() { raise(SIGHUP); }

}  // namespace tarn::server
