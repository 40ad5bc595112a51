// tarnctl: the world around RunTarnctl.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <thread>

#include "client/cli/app.h"

namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may use it");

// The second Ctrl-C ends the program as if this were not here.
void HandleInterrupts() {
  struct sigaction action = {};
  action.sa_handler = [](int) { interrupted = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  // A reader that has seen enough (head, less) is no accident: printing fails, and that is all.
  signal(SIGPIPE, SIG_IGN);
}

tarn::cli::Stream KindOf(int descriptor) {
  return isatty(descriptor) == 1 ? tarn::cli::Stream::kTerminal : tarn::cli::Stream::kFile;
}

// In steps, because a signal may come on another thread.
void Wait(std::chrono::milliseconds span) {
  constexpr std::chrono::milliseconds kStep{20};
  const auto end = std::chrono::steady_clock::now() + span;
  while (!interrupted && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(kStep);
}

}  // namespace

int main(int argc, char** argv) {
  HandleInterrupts();
  std::ios::sync_with_stdio(false);
  tarn::cli::Environment env{
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .in_kind = KindOf(STDIN_FILENO),
      .err_kind = KindOf(STDERR_FILENO),
      .connect = [](const tarn::ClientOptions& options) { return tarn::Client::Connect(options); },
      .connect_admin =
          [](const tarn::ClientOptions& options) { return tarn::AdminClient::Connect(options); },
      .now = [] { return std::chrono::steady_clock::now(); },
      .wait = Wait,
      .interrupted = [] { return interrupted.load(); },
  };
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const tarn::cli::ExitCode code = tarn::cli::RunTarnctl(arguments, env);
  // What was not printed must not look as if it had been.
  if (!std::cout.flush() && code == tarn::cli::ExitCode::kDone)
    return static_cast<int>(tarn::cli::ExitCode::kFailed);
  return static_cast<int>(code);
}
