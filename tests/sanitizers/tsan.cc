// Linked into every program of the tsan preset.
//
// Debian's libabsl is not built for the thread sanitizer, so the sanitizer does not see what
// absl::Mutex orders and would call everything under one a race. Here absl's locking functions are
// defined once more: the linker takes these, they tell the sanitizer what is going on and call the
// real ones. gRPC's own locks are absl's and pass through here too.

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>

#include "absl/base/config.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include <sanitizer/tsan_interface.h>

extern "C" const char* __tsan_default_options() {  // NOLINT: the sanitizer's name
  // What libraries that are not instrumented (gRPC, RocksDB, OpenSSL) hand to memcpy and the like
  // is not judged: what orders it is invisible too. The detector of deadlocks takes 64 locks in one
  // thread at most and ends the program at the next: an atomic batch holds more of the memory
  // engine's shards, always in one order.
  return "ignore_noninstrumented_modules=1:detect_deadlocks=0";
}

extern "C" const char* __tsan_default_suppressions() {  // NOLINT: the sanitizer's name
  // gRPC hands a call from thread to thread through its completion queue, inside the library, where
  // the sanitizer does not see it: whatever an event of a call finds would be called a race with
  // the event before. StaticRun is where such events come out of the queue (of a unary call with a
  // callback: its status), CallOnDone their end.
  return "race:grpc::internal::CallbackWithSuccessTag::StaticRun\n"
         "race:grpc::internal::CallbackWithStatusTag::StaticRun\n"
         "race:grpc::internal::*::CallOnDone\n";
}

namespace {

#define TARN_STRING_OF(x) #x
#define TARN_STRING(x) TARN_STRING_OF(x)

// libabsl's own definition of absl::<member>, mangled without its "absl" and the inline namespace,
// whose name each release of Debian chooses.
template <typename Function>
Function* Real(const char* member, const char* constness = "") {
  const std::string space = TARN_STRING(ABSL_OPTION_INLINE_NAMESPACE_NAME);
  const std::string name =
      std::string("_ZN") + constness + "4absl" + std::to_string(space.size()) + space + member;
  void* found = dlsym(RTLD_NEXT, name.c_str());
  if (found == nullptr) {
    std::fprintf(stderr, "tsan: libabsl has no %s\n", name.c_str());
    std::abort();
  }
  return reinterpret_cast<Function*>(found);
}

constexpr unsigned kWrite = 0;
constexpr unsigned kRead = __tsan_mutex_read_lock;

// Runs at the end of a scope, also when the scope returns a value.
template <typename End>
struct Finally {
  End end;
  ~Finally() { end(); }
};
template <typename End>
Finally(End) -> Finally<End>;

// Some of these functions call others of them, depending on the release: only the outermost is
// told.
thread_local bool told = false;

template <typename Call>
auto Locking(void* mutex, unsigned flags, Call call) {
  if (told) return call();
  told = true;
  const Finally untold{[] { told = false; }};
  __tsan_mutex_pre_lock(mutex, flags);
  const Finally done{[&] { __tsan_mutex_post_lock(mutex, flags, 0); }};
  return call();
}

template <typename Call>
void Unlocking(void* mutex, unsigned flags, Call call) {
  __tsan_mutex_pre_unlock(mutex, flags);
  call();
  __tsan_mutex_post_unlock(mutex, flags);
}

template <typename Call>
bool Trying(void* mutex, unsigned flags, Call call) {
  flags |= __tsan_mutex_try_lock;
  __tsan_mutex_pre_lock(mutex, flags);
  const bool locked = call();
  __tsan_mutex_post_lock(mutex, locked ? flags : flags | __tsan_mutex_try_lock_failed, 0);
  return locked;
}

// A wait gives the lock away and has it again at the end. Nearly always it is held for writing.
template <typename Call>
auto Waiting(void* mutex, Call call) {
  if (told) return call();
  Unlocking(mutex, kWrite, [] {});
  return Locking(mutex, kWrite, call);
}

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  static auto* const real = Real<void(Mutex*)>("5Mutex4LockEv");
  Locking(this, kWrite, [&] { real(this); });
}

void Mutex::Unlock() {
  static auto* const real = Real<void(Mutex*)>("5Mutex6UnlockEv");
  Unlocking(this, kWrite, [&] { real(this); });
}

bool Mutex::TryLock() {
  static auto* const real = Real<bool(Mutex*)>("5Mutex7TryLockEv");
  return Trying(this, kWrite, [&] { return real(this); });
}

void Mutex::ReaderLock() {
  static auto* const real = Real<void(Mutex*)>("5Mutex10ReaderLockEv");
  Locking(this, kRead, [&] { real(this); });
}

void Mutex::ReaderUnlock() {
  static auto* const real = Real<void(Mutex*)>("5Mutex12ReaderUnlockEv");
  Unlocking(this, kRead, [&] { real(this); });
}

bool Mutex::ReaderTryLock() {
  static auto* const real = Real<bool(Mutex*)>("5Mutex13ReaderTryLockEv");
  return Trying(this, kRead, [&] { return real(this); });
}

void Mutex::LockWhen(const Condition& c) {
  static auto* const real =
      Real<void(Mutex*, const Condition&)>("5Mutex8LockWhenERKNS0_9ConditionE");
  Locking(this, kWrite, [&] { real(this, c); });
}

bool Mutex::LockWhenWithTimeout(const Condition& c, Duration timeout) {
  static auto* const real = Real<bool(Mutex*, const Condition&, Duration)>(
      "5Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  return Locking(this, kWrite, [&] { return real(this, c, timeout); });
}

bool Mutex::LockWhenWithDeadline(const Condition& c, Time deadline) {
  static auto* const real = Real<bool(Mutex*, const Condition&, Time)>(
      "5Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  return Locking(this, kWrite, [&] { return real(this, c, deadline); });
}

void Mutex::ReaderLockWhen(const Condition& c) {
  static auto* const real =
      Real<void(Mutex*, const Condition&)>("5Mutex14ReaderLockWhenERKNS0_9ConditionE");
  Locking(this, kRead, [&] { real(this, c); });
}

void Mutex::Await(const Condition& c) {
  static auto* const real = Real<void(Mutex*, const Condition&)>("5Mutex5AwaitERKNS0_9ConditionE");
  Waiting(this, [&] { real(this, c); });
}

bool Mutex::AwaitWithTimeout(const Condition& c, Duration timeout) {
  static auto* const real = Real<bool(Mutex*, const Condition&, Duration)>(
      "5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  return Waiting(this, [&] { return real(this, c, timeout); });
}

bool Mutex::AwaitWithDeadline(const Condition& c, Time deadline) {
  static auto* const real = Real<bool(Mutex*, const Condition&, Time)>(
      "5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  return Waiting(this, [&] { return real(this, c, deadline); });
}

void CondVar::Wait(Mutex* mutex) {
  static auto* const real = Real<void(CondVar*, Mutex*)>("7CondVar4WaitEPNS0_5MutexE");
  Waiting(mutex, [&] { real(this, mutex); });
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static auto* const real = Real<bool(CondVar*, Mutex*, Duration)>(
      "7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
  return Waiting(mutex, [&] { return real(this, mutex, timeout); });
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static auto* const real =
      Real<bool(CondVar*, Mutex*, Time)>("7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  return Waiting(mutex, [&] { return real(this, mutex, deadline); });
}

// These answer from an atomic inside the library before they look at their mutex.

void Notification::Notify() {
  static auto* const real = Real<void(Notification*)>("12Notification6NotifyEv");
  __tsan_release(this);
  real(this);
}

void Notification::WaitForNotification() const {
  static auto* const real =
      Real<void(const Notification*)>("12Notification19WaitForNotificationEv", "K");
  real(this);
  __tsan_acquire(const_cast<Notification*>(this));
}

bool Notification::WaitForNotificationWithTimeout(Duration timeout) const {
  static auto* const real = Real<bool(const Notification*, Duration)>(
      "12Notification30WaitForNotificationWithTimeoutENS0_8DurationE", "K");
  const bool notified = real(this, timeout);
  if (notified) __tsan_acquire(const_cast<Notification*>(this));
  return notified;
}

bool BlockingCounter::DecrementCount() {
  static auto* const real = Real<bool(BlockingCounter*)>("15BlockingCounter14DecrementCountEv");
  __tsan_release(this);
  return real(this);
}

void BlockingCounter::Wait() {
  static auto* const real = Real<void(BlockingCounter*)>("15BlockingCounter4WaitEv");
  real(this);
  __tsan_acquire(this);
}

ABSL_NAMESPACE_END
}  // namespace absl
