// Loaded into a process before libc (LD_PRELOAD): the wall clock of this process alone is off by as
// many milliseconds as the file $WALL_CLOCK_OFFSET_FILE holds (8 bytes, the machine's order), at
// once when that number changes. Clocks that count from the boot stay as they are. See
// wall_clock.h.
//
// Whoever waits for a time of the wall clock waits for one of this clock's, as with the kernel's
// own: a step forward ends the wait early, a step back makes it longer.
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>

namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kNanosPerMillisecond = 1'000'000;
// How late a waiting thread may notice a step.
constexpr int64_t kSliceNanos = 20 * kNanosPerMillisecond;
// Before this, a time is not the wall clock's but counted from the boot.
constexpr int64_t kFirstWallSecond = 1'000'000'000;

using Arguments = std::array<long, 6>;  // NOLINT(google-runtime-int): the kernel's type.

// libc's functions are what is replaced here, so that they cannot be called.
long Kernel(long number, const Arguments& a) {  // NOLINT(google-runtime-int)
#if defined(__x86_64__)
  long result = 0;  // NOLINT(google-runtime-int)
  register long r10 asm("r10") = a[3];
  register long r8 asm("r8") = a[4];
  register long r9 asm("r9") = a[5];
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a[0];
  register long x1 asm("x1") = a[1];
  register long x2 asm("x2") = a[2];
  register long x3 asm("x3") = a[3];
  register long x4 asm("x4") = a[4];
  register long x5 asm("x5") = a[5];
  asm volatile("svc 0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
#else
#error "how to call the kernel is not written here for this processor"
#endif
}

long Word(const volatile void* pointer) {  // NOLINT(google-runtime-int)
  return reinterpret_cast<intptr_t>(pointer);
}

// As libc reports it.
long Reported(long result) {  // NOLINT(google-runtime-int)
  if (result >= 0 || result < -4095) return result;
  errno = static_cast<int>(-result);
  return -1;
}

// Mapped at the start; null before, and in a process without the file.
std::atomic<const std::atomic<int64_t>*> offset_ms{nullptr};

[[gnu::constructor]] void MapOffset() {
  const char* const path = std::getenv("WALL_CLOCK_OFFSET_FILE");
  if (path == nullptr) return;
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) std::abort();
  void* const bytes = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (bytes == MAP_FAILED) std::abort();
  offset_ms.store(static_cast<const std::atomic<int64_t>*>(bytes));
}

int64_t OffsetNanos() {
  const auto* const offset = offset_ms.load(std::memory_order_relaxed);
  return offset == nullptr ? 0 : offset->load(std::memory_order_relaxed) * kNanosPerMillisecond;
}

int64_t Nanos(const timespec& time) { return time.tv_sec * kNanosPerSecond + time.tv_nsec; }
timespec Time(int64_t nanos) { return {nanos / kNanosPerSecond, nanos % kNanosPerSecond}; }

int64_t KernelWallNanos() {
  timespec now{};
  Kernel(SYS_clock_gettime, {CLOCK_REALTIME, Word(&now)});
  return Nanos(now);
}

int64_t WallNanos() { return KernelWallNanos() + OffsetNanos(); }

// `wait` waits until a time of the kernel's wall clock, and returns 0 or what went wrong.
template <typename Wait>
int WaitInSlices(const timespec& until, Wait wait) {
  while (true) {
    const int64_t left = std::max<int64_t>(Nanos(until) - WallNanos(), 0);
    const timespec slice = Time(KernelWallNanos() + std::min(left, kSliceNanos));
    const int result = wait(slice);
    if (result != ETIMEDOUT || left <= kSliceNanos) return result;
  }
}

bool WaitsForWallTime(long number, const Arguments& a) {  // NOLINT(google-runtime-int)
  if (number != SYS_futex || a[3] == 0 || (a[1] & FUTEX_CLOCK_REALTIME) == 0) return false;
  return (a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int result = static_cast<int>(Reported(Kernel(SYS_clock_gettime, {clock, Word(time)})));
  const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
  if (result == 0 && wall) *time = Time(Nanos(*time) + OffsetNanos());
  return result;
}

int gettimeofday(timeval* time, void* /*zone*/) noexcept {
  const timespec now = Time(WallNanos());
  *time = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* result) noexcept {
  const time_t now = WallNanos() / kNanosPerSecond;
  if (result != nullptr) *result = now;
  return now;
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* until) {
  if (until->tv_sec < kFirstWallSecond)
    return pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC, until);
  return WaitInSlices(*until, [&](const timespec& slice) {
    return pthread_cond_clockwait(condition, mutex, CLOCK_REALTIME, &slice);
  });
}

// NOLINTNEXTLINE(google-runtime-int,cert-dcl50-cpp): as libc declares it.
long syscall(long number, ...) noexcept {
  Arguments a{};
  va_list list;
  va_start(list, number);
  for (long& one : a) one = va_arg(list, long);  // NOLINT(google-runtime-int)
  va_end(list);
  if (!WaitsForWallTime(number, a)) return Reported(Kernel(number, a));
  const timespec until = *reinterpret_cast<const timespec*>(a[3]);
  const int failed = WaitInSlices(until, [&](const timespec& slice) {
    a[3] = Word(&slice);
    return static_cast<int>(-std::min<int64_t>(Kernel(number, a), 0));
  });
  return Reported(-failed);
}

}  // extern "C"
