// A real tarnd, as a process of its own.
//
//   TempDir dir;
//   DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", "memory"}});   //
//   serves when this returns auto channel = grpc::CreateChannel(daemon.grpc(),
//   grpc::InsecureChannelCredentials());
//   ...
//   daemon.Kill();                 // kill -9
//   daemon.Start();                // again, on the same data directory and the same ports
//   CHECK(daemon.Stop() == 0);     // SIGTERM, and its exit code
//
// Ports are free ones, the data directory is DIRECTORY/data, its log is captured and is part of
// every error. The program is $TARN_BIN_DIR/tarnd. The process dies with the test, however the test
// ends.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/own_port.h"

namespace tarn::testing {

class DaemonProcess {
 public:
  struct Options {
    std::string directory;  // Of the test; exists.
    std::vector<std::string>
        arguments;  // More of them, or others than the default ones: the last one counts.
    std::map<std::string, std::string>
        environment;  // Besides this process's, less its TARN_ variables.
    // Begins to serve (the default), or is only started, for tests of what happens before or
    // instead.
    enum class Await { kServing, kNothing };
    Await await = Await::kServing;
  };

  // Starts it. Throws, with the log, when it does not serve within the patience.
  explicit DaemonProcess(Options options);
  ~DaemonProcess();  // kill -9 what still runs.

  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;

  // HOST:PORT, or unix:PATH; empty until it has served once.
  const std::string& grpc() const { return grpc_; }
  const std::string& http() const { return http_; }
  std::string data_dir() const;
  pid_t pid() const { return pid_; }

  // After it has ended: once more, on the same ports.
  void Start();
  void Kill();
  void Signal(int number);
  // The exit code; 128 + the signal that killed it.
  int Wait();
  int Stop();

  // Everything logged since the last start, so far.
  std::string log() const;
  // All of it, after Wait.
  std::string FinalLog();
  // Blocks until the log holds `text`; throws when that takes too long, or when the process ends
  // first.
  void AwaitLog(const std::string& text);
  void AwaitServing();

  static constexpr std::chrono::seconds kPatience{60};

 private:
  class Log;

  std::vector<std::string> Arguments() const;
  std::vector<std::string> Environment() const;

  const Options options_;
  // Not those that the system would choose: somebody else could get them while it is away.
  const OwnPort grpc_port_;
  const OwnPort http_port_;
  std::string grpc_;
  std::string http_;
  pid_t pid_ = -1;
  std::unique_ptr<Log> log_;
};

}  // namespace tarn::testing
