// What a process can tell of itself while it is measured.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace tarn::bench {

// Ends the program: a benchmark that went wrong has no figures.
[[noreturn]] void Fail(const std::string& what);

double SecondsOf(const std::function<void()>& work);

// Of processor time, spent by all threads of this process so far.
double CpuSeconds();

// What this process has in memory now.
size_t ResidentBytes();

// The most that this process had in memory since it was made, beyond what it had then.
class PeakMemory {
 public:
  PeakMemory();
  double ExtraBytes() const;

 private:
  size_t before_;
};

// A directory of its own, removed with all that is in it when destroyed.
class WorkDirectory {
 public:
  WorkDirectory();
  ~WorkDirectory();
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

}  // namespace tarn::bench
