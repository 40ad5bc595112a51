// The servers that are measured, each a process of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace tarn::bench {

// A running server. Stopped by pid, and its files removed, when destroyed. Functions that fail end
// the program.
class ServerProcess {
 public:
  virtual ~ServerProcess() = default;
  virtual std::string endpoint() const = 0;
  // From its start until it served requests.
  virtual double ready_ms() const = 0;
  virtual size_t ResidentBytes() const = 0;
  // Of processor time, spent by all its threads so far.
  virtual double CpuSeconds() const = 0;
  // Likewise by its first thread, to the nanosecond.
  virtual double MainThreadSeconds() const = 0;
};

std::unique_ptr<ServerProcess> StartEchoServer();

// On free ports of the loopback interface, with an empty data directory. Makes a checkpoint when it
// is told to, and only then.
std::unique_ptr<ServerProcess> StartTarnd(const std::string& program, const std::string& engine,
                                          const std::vector<std::string>& more_arguments = {});

// redis-server of the PATH, on a free port of the loopback interface. It keeps nothing on disk.
std::unique_ptr<ServerProcess> StartRedis();

// The program `name` in the folder that this program was started from.
std::string ProgramBeside(const std::string& self, const std::string& name);

}  // namespace tarn::bench
