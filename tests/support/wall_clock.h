// The wall clock of a daemon under test, which the test may step; the machine's stays as it is.
//
//   SteppedWallClock clock(dir.path());
//   DaemonProcess daemon({.directory = dir.path(), .environment = clock.environment()});
//   clock.Step(std::chrono::hours(1));
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace tarn::testing {

// Of every process that is started with its environment, those started after a step included.
class SteppedWallClock {
 public:
  // `directory`: of the test; exists.
  explicit SteppedWallClock(const std::string& directory);
  ~SteppedWallClock();
  SteppedWallClock(const SteppedWallClock&) = delete;
  SteppedWallClock& operator=(const SteppedWallClock&) = delete;

  std::map<std::string, std::string> environment() const;

  // Forward, or back.
  void Step(std::chrono::milliseconds by);
  std::chrono::milliseconds offset() const { return std::chrono::milliseconds(*offset_ms_); }

 private:
  const std::string file_;
  int64_t* offset_ms_ = nullptr;  // In the file, which the processes read.
};

}  // namespace tarn::testing
