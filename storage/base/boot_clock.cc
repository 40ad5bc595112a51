#include "storage/base/boot_clock.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <array>

namespace tarn::base {
namespace {

constexpr const char* kBootIdFile = "/proc/sys/kernel/random/boot_id";
constexpr size_t kMaxBootIdBytes = 64;

// Empty where there is no such file: then the wall clock decides.
std::string ReadBootId() {
  const int file = open(kBootIdFile, O_RDONLY | O_CLOEXEC);
  if (file < 0) return "";
  std::array<char, kMaxBootIdBytes> bytes{};
  const ssize_t size = read(file, bytes.data(), bytes.size());
  close(file);
  std::string id(bytes.data(), size > 0 ? static_cast<size_t>(size) : 0);
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

}  // namespace

SystemBootClock::SystemBootClock() : boot_id_(ReadBootId()) {}

int64_t SystemBootClock::SinceBootMs() const {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

const BootClock& TheSystemBootClock() {
  static const auto* const clock = new SystemBootClock();
  return *clock;
}

}  // namespace tarn::base
