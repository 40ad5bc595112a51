// How far long work has come, on stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "client/cli/context.h"

namespace tarn::cli {

// One line that is written over. Used by one thread.
class StatusLine {
 public:
  explicit StatusLine(Environment& env) : env_(env) {}
  // Removes the line.
  ~StatusLine();
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  void Print(const std::string& line);

 private:
  Environment& env_;
  size_t width_ = 0;  // Of the line on the screen.
};

// A count, where stderr is a terminal. Silent for the first second. Used by one thread.
class Progress {
 public:
  // `what` stands before the number.
  Progress(Environment& env, std::string what);

  // Cheap enough to be called for each entry.
  void Show(uint64_t done);

 private:
  Environment& env_;
  const std::string what_;
  std::chrono::steady_clock::time_point next_;
  StatusLine line_;
};

enum class Loudness { kNormal, kQuiet };

// How far work with a known end has come.
struct WorkState {
  std::string phase;
  uint64_t done = 0;
  uint64_t total = 0;  // 0 = not known.
  double per_second = 0;
  std::optional<std::chrono::milliseconds> time_left;
};

// A bar where stderr is a terminal, and a line now and then where it is not. Used by one thread.
class WorkProgress {
 public:
  // `unit` is what is counted: "entries", "bytes".
  WorkProgress(Environment& env, std::string what, std::string unit, Loudness loudness);

  void Show(const WorkState& state);

 private:
  std::string Line(const WorkState& state) const;

  Environment& env_;
  const std::string what_;
  const std::string unit_;
  const Loudness loudness_;
  std::chrono::steady_clock::time_point next_;
  StatusLine line_;
};

// Work on a number of bytes that this program does itself: finds out its rate.
class ByteProgress {
 public:
  ByteProgress(Environment& env, std::string what, Loudness loudness);

  void Show(const std::string& phase, uint64_t done, uint64_t total);

 private:
  Environment& env_;
  const std::chrono::steady_clock::time_point start_;
  WorkProgress progress_;
};

}  // namespace tarn::cli
