// tarnd: parses, starts, waits, stops.
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "server/config/configuration.h"
#include "server/daemon.h"
#include "server/exit_codes.h"
#include "server/signals.h"
#include "storage/base/logging.h"
#include "tarn_version.h"

namespace tarn::server {
namespace {

int Exit(ExitCode code) { return static_cast<int>(code); }

Environment ReadEnvironment() {
  Environment environment;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string line = *one;
    const size_t equals = line.find('=');
    if (equals != std::string::npos) environment[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return environment;
}

int Complain(const absl::Status& error, ExitCode code) {
  std::cerr << "tarnd: " << error.message() << "\n";
  return Exit(code);
}

// So long a final checkpoint that is given up may take to remove what it wrote.
constexpr absl::Duration kGiveUpPatience = absl::Milliseconds(500);

[[noreturn]] void StopAtOnce(Daemon& daemon, const absl::Notification& stopped) {
  base::LogWarning("stopped at once by a second signal");
  daemon.Interrupt();
  stopped.WaitForNotificationWithTimeout(kGiveUpPatience);
  std::_Exit(Exit(ExitCode::kStoppedAtOnce));
}

// Waits for the drain to end, or for a second signal to end it.
int Stop(Daemon& daemon) {
  absl::Notification stopped;
  absl::Status status;
  std::thread drain([&] {
    status = daemon.Stop();
    stopped.Notify();
  });
  while (!stopped.HasBeenNotified()) {
    if (WaitForSignal(absl::Milliseconds(20)) == Signal::kStop) StopAtOnce(daemon, stopped);
  }
  drain.join();
  return Exit(status.ok() ? ExitCode::kStopped : ExitCode::kFailed);
}

void Reload(Daemon& daemon, const CommandLine& command_line, const ConfigurationSources& sources) {
  const absl::StatusOr<Configuration> configuration = LoadConfiguration(command_line, sources);
  if (!configuration.ok()) {
    return base::LogError("not reloaded, all stays as it is: ", configuration.status().message());
  }
  daemon.Reload(configuration->options);
}

// A start may wait for others: a signal ends that, or ends the daemon as soon as it has started.
absl::StatusOr<std::unique_ptr<Daemon>> Start(const Options& options,
                                              const ConfigurationSources& sources,
                                              absl::Notification& stop) {
  absl::StatusOr<std::unique_ptr<Daemon>> daemon = absl::UnknownError("");
  absl::Notification started;
  std::thread starter([&] {
    daemon = Daemon::Start(options, sources.environment, stop);
    started.Notify();
  });
  bool reload = false;
  while (!started.HasBeenNotified()) {
    const Signal signal = WaitForSignal(absl::Milliseconds(20));
    if (signal == Signal::kStop && !stop.HasBeenNotified()) stop.Notify();
    if (signal == Signal::kReload) reload = true;
  }
  starter.join();
  if (reload) PostponeReload();
  return daemon;
}

// Nothing that is left could be written: not even a final checkpoint may be made of it.
[[noreturn]] void LeaveDeposed() {
  base::LogError("another daemon has taken the store: this one ends");
  std::_Exit(Exit(ExitCode::kDeposed));
}

int Serve(const Options& options, const CommandLine& command_line,
          const ConfigurationSources& sources) {
  BlockSignals();
  absl::Notification stop;
  const absl::StatusOr<std::unique_ptr<Daemon>> daemon = Start(options, sources, stop);
  if (!daemon.ok()) return Complain(daemon.status(), ExitCodeOf(daemon.status()));
  while (!stop.HasBeenNotified()) {
    switch (WaitForSignal(absl::Seconds(1))) {
      case Signal::kNone:
        if ((*daemon)->deposed()) LeaveDeposed();
        (*daemon)->Tick();
        break;
      case Signal::kReload:
        Reload(**daemon, command_line, sources);
        break;
      case Signal::kStop:
        return Stop(**daemon);
    }
  }
  return Stop(**daemon);
}

int Main(const std::vector<std::string>& arguments) {
  const absl::StatusOr<CommandLine> command_line = ParseCommandLine(arguments, OptionTable());
  if (!command_line.ok()) return Complain(command_line.status(), ExitCode::kUsage);
  const Environment environment = ReadEnvironment();
  const ConfigurationSources sources{environment, base::PosixFileSystem(),
                                     DefaultOptions(environment, geteuid())};
  if (command_line->action == Action::kHelp) {
    std::cout << HelpText(sources.defaults);
    return Exit(ExitCode::kStopped);
  }
  if (command_line->action == Action::kVersion) {
    std::cout << "tarnd " << kVersion << " (" << kCommit << ")\n";
    return Exit(ExitCode::kStopped);
  }
  const absl::StatusOr<Configuration> configuration = LoadConfiguration(*command_line, sources);
  if (!configuration.ok()) return Complain(configuration.status(), ExitCode::kUsage);
  const absl::Status engine = CheckEngineOptions(configuration->options);
  if (!engine.ok()) return Complain(engine, ExitCode::kUsage);
  if (command_line->action == Action::kPrintRedisAcl)
    std::cout << RedisAcl(configuration->options) << "\n";
  if (command_line->action == Action::kPrintConfig)
    std::cout << PrintConfiguration(*configuration, OptionTable());
  if (command_line->action == Action::kCheckConfig) std::cout << "the configuration is good\n";
  if (command_line->action != Action::kServe) return Exit(ExitCode::kStopped);
  return Serve(configuration->options, *command_line, sources);
}

}  // namespace
}  // namespace tarn::server

int main(int argc, char** argv) {
  // See docs/decisions/006-libabsl-deadlock-detector.md.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return tarn::server::Main(std::vector<std::string>(argv + 1, argv + argc));
}
