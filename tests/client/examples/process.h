// A program of $TARN_BIN_DIR whose output the test reads line by line.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace window_demo {

// It dies with the test, however the test ends.
class Process {
 public:
  Process(const std::string& program, const std::vector<std::string>& arguments);
  ~Process();  // kill -9 if it still runs.

  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // The next line it prints; nullopt when it has ended or closed its output.
  std::optional<std::string> NextLine();
  void Signal(int number) const;
  // Waits for its end: the exit code, 128 + the signal that killed it.
  int Wait();

 private:
  pid_t pid_ = -1;
  std::FILE* output_ = nullptr;
};

}  // namespace window_demo
