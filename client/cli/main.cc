// tarnctl: the process around RunTarnctl.
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/app.h"
#include "client/cli/interrupt.h"

namespace {

using tarn::cli::Environment;
using tarn::cli::Interrupt;
using tarn::cli::Stream;

Stream KindOf(int fd) { return isatty(fd) != 0 ? Stream::kTerminal : Stream::kFile; }

Environment MakeEnvironment(Interrupt& interrupt) {
  return {
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .in_kind = KindOf(STDIN_FILENO),
      .err_kind = KindOf(STDERR_FILENO),
      .connect = [](const tarn::ClientOptions& options) { return tarn::Client::Connect(options); },
      .connect_admin =
          [](const tarn::ClientOptions& options) { return tarn::AdminClient::Connect(options); },
      .connect_checkpoints =
          [](const tarn::ClientOptions& options) {
            return tarn::CheckpointClient::Connect(options);
          },
      .connect_jobs =
          [](const tarn::ClientOptions& options) { return tarn::JobClient::Connect(options); },
      .now = [] { return std::chrono::steady_clock::now(); },
      .wait = [&interrupt](std::chrono::milliseconds span) { interrupt.Wait(span); },
      .interrupted = [&interrupt] { return interrupt.requested(); },
      .connect_locks =
          [](const tarn::ClientOptions& options) { return tarn::LockClient::Connect(options); },
      .forward_signals =
          [&interrupt](std::function<void(int)> forward) {
            interrupt.Forward(std::move(forward));
          }};
}

}  // namespace

int main(int argc, char** argv) {
  // gRPC's own log says again, in its own words, what the command is about to report.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  std::ios::sync_with_stdio(false);
  static Interrupt interrupt;  // Its thread outlives main.
  Environment env = MakeEnvironment(interrupt);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const tarn::cli::ExitCode code = tarn::cli::RunTarnctl(arguments, env);
  std::cout.flush();
  if (!std::cout.good()) {
    std::cerr << "tarnctl: cannot write to standard output\n";
    return static_cast<int>(tarn::cli::ExitCode::kFailed);
  }
  return static_cast<int>(code);
}
