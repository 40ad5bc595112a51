#include "storage/base/alarm.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "storage/base/error.h"

namespace tarn::base {
namespace {

void Empty(int descriptor) {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t size = read(descriptor, &count, sizeof(count));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Alarm>> Alarm::Create() {
  const int timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  const int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (timer >= 0 && bell >= 0) return std::unique_ptr<Alarm>(new Alarm(timer, bell));
  if (timer >= 0) close(timer);
  if (bell >= 0) close(bell);
  return MakeError(absl::StatusCode::kResourceExhausted, Reason::kQueueFull,
                   "no file descriptor is left for a timer");
}

Alarm::~Alarm() {
  close(timer_);
  close(bell_);
}

void Alarm::Wait(std::optional<int64_t> milliseconds) {
  itimerspec at{};  // All zero: never.
  if (milliseconds) {
    const int64_t span = std::max<int64_t>(*milliseconds, 0);
    at.it_value.tv_sec = span / 1000;
    at.it_value.tv_nsec = span % 1000 * 1'000'000 + (span == 0 ? 1 : 0);
  }
  timerfd_settime(timer_, 0, &at, nullptr);
  std::array<pollfd, 2> either = {pollfd{timer_, POLLIN, 0}, pollfd{bell_, POLLIN, 0}};
  poll(either.data(), either.size(), -1);
  if (either[0].revents != 0) Empty(timer_);
  if (either[1].revents != 0) Empty(bell_);
}

void Alarm::Ring() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t size = write(bell_, &one, sizeof(one));
}

}  // namespace tarn::base
