#include "tests/support/wall_clock.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>

namespace tarn::testing {
namespace {

std::string Shim() {
  const char* directory = std::getenv("TARN_BIN_DIR");
  if (directory == nullptr)
    throw std::runtime_error("TARN_BIN_DIR is not set: run the test through ctest");
  return std::string(directory) + "/../tests/libtarn_wall_clock_shim.so";
}

int64_t* MapNew(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0 || ftruncate(file, sizeof(int64_t)) != 0)
    throw std::runtime_error("cannot make " + path);
  void* const bytes = mmap(nullptr, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (bytes == MAP_FAILED) throw std::runtime_error("cannot map " + path);
  return static_cast<int64_t*>(bytes);
}

}  // namespace

SteppedWallClock::SteppedWallClock(const std::string& directory)
    : file_(directory + "/wall-clock-offset"), offset_ms_(MapNew(file_)) {}

SteppedWallClock::~SteppedWallClock() { munmap(offset_ms_, sizeof(int64_t)); }

std::map<std::string, std::string> SteppedWallClock::environment() const {
  return {{"LD_PRELOAD", Shim()},
          {"WALL_CLOCK_OFFSET_FILE", file_},
          // Of a daemon with the sanitizer, which wants to come before everything else.
          {"ASAN_OPTIONS", "verify_asan_link_order=0"}};
}

void SteppedWallClock::Step(std::chrono::milliseconds by) {
  std::atomic_ref(*offset_ms_).fetch_add(by.count());
}

}  // namespace tarn::testing
