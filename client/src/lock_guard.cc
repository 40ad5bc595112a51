#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "client/src/since_boot.h"
#include "tarn/error.h"
#include "tarn/lock.h"

namespace tarn {

using std::chrono::milliseconds;

// What the guard's thread and its owner share. The thread ends before this does.
class LockGuard::Keeper {
 public:
  Keeper(std::shared_ptr<LockConnection> connection, std::string ns, std::string name,
         Revision token, milliseconds ttl, milliseconds left, OnLost on_lost)
      : connection_(std::move(connection)),
        ns_(std::move(ns)),
        name_(std::move(name)),
        token_(token),
        ttl_(ttl),
        on_lost_(std::move(on_lost)),
        held_until_(internal::SinceBoot() + left),
        thread_([this] { Keep(); }) {}

  ~Keeper() {
    (void)Release();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Release() {
    {
      const std::lock_guard lock(mutex_);
      if (!lost_.ok()) return lost_;
      if (std::exchange(stopping_, true)) return absl::OkStatus();
      changed_.notify_all();
    }
    // A renewal under way must not come after it.
    thread_.join();
    {
      const std::lock_guard lock(mutex_);
      if (!lost_.ok()) return lost_;
    }
    return connection_->Release(ns_, name_, token_, {});
  }

  bool held() const {
    const std::lock_guard lock(mutex_);
    return lost_.ok() && !stopping_ && internal::SinceBoot() < held_until_;
  }
  absl::Status lost() const {
    const std::lock_guard lock(mutex_);
    return lost_;
  }
  Revision token() const { return token_; }
  const std::string& name() const { return name_; }

 private:
  // A third of the TTL after each success: two more attempts fit in before it is over.
  milliseconds Pause() const { return std::max(ttl_ / 3, milliseconds(1)); }
  // After a failure.
  milliseconds ShortPause() const { return std::max(ttl_ / 20, milliseconds(1)); }

  void Keep() {
    milliseconds pause = Pause();
    while (!StopsWithin(pause)) {
      const absl::Status kept = RenewOnce();
      const Reason reason = ReasonOf(kept);
      const bool taken = reason == Reason::kLockNotHeld || reason == Reason::kLockHeldByAnother;
      if (!kept.ok() && (taken || IsOver())) return Lose(kept);
      pause = kept.ok() ? Pause() : ShortPause();
    }
  }

  // Waits, unless it is told to stop.
  bool StopsWithin(milliseconds span) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, span, [this] { return stopping_; });
  }

  absl::Status RenewOnce() {
    const milliseconds sent = internal::SinceBoot();
    const milliseconds left = std::max(held_until() - sent, milliseconds(1));
    const auto renewed = connection_->Renew(ns_, name_, token_, ttl_,
                                            std::min(left, std::max(Pause(), kLeastTimeout)));
    if (!renewed.ok()) return renewed.status();
    const std::lock_guard lock(mutex_);
    held_until_ = sent + renewed->remaining;
    return absl::OkStatus();
  }

  milliseconds held_until() const {
    const std::lock_guard lock(mutex_);
    return held_until_;
  }
  bool IsOver() const { return internal::SinceBoot() >= held_until(); }

  void Lose(const absl::Status& why) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      lost_ = why;
    }
    if (on_lost_) on_lost_(why);
  }

  static constexpr milliseconds kLeastTimeout{50};  // Of one renewal.

  const std::shared_ptr<LockConnection> connection_;
  const std::string ns_;
  const std::string name_;
  const Revision token_;
  const milliseconds ttl_;
  const OnLost on_lost_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  milliseconds held_until_;  // By SinceBoot.
  bool stopping_ = false;
  absl::Status lost_;
  std::thread thread_;  // Last: it uses all the others.
};

LockGuard::LockGuard(std::shared_ptr<LockConnection> connection, std::string ns, std::string name,
                     Revision token, milliseconds ttl, milliseconds left, OnLost on_lost)
    : keeper_(std::make_shared<Keeper>(std::move(connection), std::move(ns), std::move(name), token,
                                       ttl, left, std::move(on_lost))) {}

LockGuard::LockGuard(LockGuard&&) noexcept = default;
LockGuard& LockGuard::operator=(LockGuard&&) noexcept = default;
LockGuard::~LockGuard() = default;

Revision LockGuard::token() const { return keeper_->token(); }
const std::string& LockGuard::name() const { return keeper_->name(); }
bool LockGuard::held() const { return keeper_->held(); }
absl::Status LockGuard::lost() const { return keeper_->lost(); }
absl::Status LockGuard::Release() { return keeper_->Release(); }

WriteFence LockGuard::fence() const {
  return {.lock = keeper_->name(), .token = keeper_->token(), .group = {}, .epoch = 0};
}

Client LockGuard::Fenced(const Client& client) const { return tarn::Fenced(client, fence()); }

}  // namespace tarn
