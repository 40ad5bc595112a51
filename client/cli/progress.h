// How far long work has come: one line on stderr that is written over, if stderr is a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "client/cli/context.h"

namespace tarn::cli {

// Silent for the first second. Used by one thread.
class Progress {
 public:
  // `what` stands before the number.
  Progress(Environment& env, std::string what);
  // Removes the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Cheap enough to be called for each entry.
  void Show(uint64_t done);

 private:
  void Print(const std::string& line);

  Environment& env_;
  const std::string what_;
  std::chrono::steady_clock::time_point next_;
  size_t width_ = 0;  // Of the line on the screen.
};

}  // namespace tarn::cli
