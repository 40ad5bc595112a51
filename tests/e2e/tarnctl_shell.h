// tarnctl within the test's process, with nothing around it but a real daemon.
#pragma once

#include <chrono>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/app.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"

namespace tarn::cli {

// What a command printed, and how it ended.
struct Outcome {
  int code;
  std::string out;
  std::string err;
};

inline bool Says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A daemon, and tarnctl.
class Shell {
 public:
  // The daemon has the memory engine, unless `arguments` say otherwise.
  explicit Shell(std::vector<std::string> arguments = {})
      : daemon_({.directory = dir_.path(), .arguments = WithEngine(std::move(arguments))}) {}

  Outcome Run(std::vector<std::string> arguments, const std::string& input = "") {
    return RunAt(daemon_.grpc(), std::move(arguments), input);
  }

  // Against any daemon.
  static Outcome RunAt(const std::string& endpoint, std::vector<std::string> arguments,
                       const std::string& input = "") {
    arguments.insert(arguments.begin(), {"--endpoint", endpoint});
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    Environment env{
        .in = in,
        .out = out,
        .err = err,
        .connect = [](const ClientOptions& options) { return Client::Connect(options); },
        .connect_admin = [](const ClientOptions& options) { return AdminClient::Connect(options); },
        .connect_checkpoints =
            [](const ClientOptions& options) { return CheckpointClient::Connect(options); },
        .connect_jobs = [](const ClientOptions& options) { return JobClient::Connect(options); },
        .now = [] { return std::chrono::steady_clock::now(); },
        .wait = [](std::chrono::milliseconds) {},
        .interrupted = [] { return false; },
        .connect_locks = [](const ClientOptions& options) { return LockClient::Connect(options); },
    };
    const ExitCode code = RunTarnctl(arguments, env);
    return {static_cast<int>(code), out.str(), err.str()};
  }

  // What a command prints that succeeds, without the last newline; what went wrong otherwise.
  std::string Line(const std::vector<std::string>& arguments) {
    Outcome outcome = Run(arguments);
    if (outcome.code != 0) return "exit " + std::to_string(outcome.code) + ": " + outcome.err;
    if (!outcome.out.empty() && outcome.out.back() == '\n') outcome.out.pop_back();
    return outcome.out;
  }

  testing::DaemonProcess& daemon() { return daemon_; }
  std::string FileOf(const std::string& id) const {
    return daemon_.data_dir() + "/checkpoints/" + id + ".ckpt";
  }

 private:
  // The last one of an option counts.
  static std::vector<std::string> WithEngine(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--engine", "memory"});
    return arguments;
  }

  testing::TempDir dir_;
  testing::DaemonProcess daemon_;
};

}  // namespace tarn::cli
