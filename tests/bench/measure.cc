#include "tests/bench/measure.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace tarn::bench {
namespace {

namespace fs = std::filesystem;

double SecondsIn(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

std::string MakeDirectory() {
  std::string path = (fs::temp_directory_path() / "tarn-bench-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr)
    Fail("cannot make a directory in " + fs::temp_directory_path().string());
  return path;
}

// A line "NAME:  1234 kB" of /proc/self/status, in bytes.
size_t StatusBytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    size_t kilobytes = 0;
    if (word == name + ":" && status >> kilobytes) return kilobytes << 10;
  }
  Fail("/proc/self/status does not tell " + name);
}

}  // namespace

void Fail(const std::string& what) {
  std::cerr << "tarn-bench: " << what << "\n";
  std::exit(1);
}

double SecondsOf(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return SecondsIn(usage.ru_utime) + SecondsIn(usage.ru_stime);
}

size_t ResidentBytes() { return StatusBytes("VmRSS"); }

PeakMemory::PeakMemory() {
  // 5 sets the high-water mark back to what is resident now; see proc(5).
  if (!(std::ofstream("/proc/self/clear_refs") << "5" << std::flush))
    Fail("cannot set the high-water mark of memory back");
  before_ = ResidentBytes();
}

double PeakMemory::ExtraBytes() const {
  return static_cast<double>(StatusBytes("VmHWM") - std::min(before_, StatusBytes("VmHWM")));
}

WorkDirectory::WorkDirectory() : path_(MakeDirectory()) {}

WorkDirectory::~WorkDirectory() {
  std::error_code ignored;  // What is left behind is in the system's directory for that.
  fs::remove_all(path_, ignored);
}

}  // namespace tarn::bench
