#include "storage/redis/circuit_breaker.h"

#include <algorithm>

namespace tarn::storage::redis {

CircuitBreaker::Permit CircuitBreaker::Ask() {
  absl::MutexLock lock(&mutex_);
  if (state_ == State::kClosed) return Permit::kNormal;
  const int64_t now = NowMs();
  if (now < until_ms_) return Permit::kRefused;
  // Also when a probe was let through and never heard of again.
  state_ = State::kHalfOpen;
  until_ms_ = now + options_.probe_patience_ms;
  return Permit::kProbe;
}

void CircuitBreaker::RecordSuccess(Permit permit) {
  absl::MutexLock lock(&mutex_);
  const bool probed = permit == Permit::kProbe && state_ == State::kHalfOpen;
  if (state_ != State::kClosed && !probed) return;
  state_ = State::kClosed;
  failures_ = 0;
}

void CircuitBreaker::RecordFailure(Permit permit) {
  absl::MutexLock lock(&mutex_);
  if (permit == Permit::kProbe) {
    if (state_ == State::kHalfOpen) Open(std::min(open_for_ms_ * 2, options_.max_open_ms));
    return;
  }
  if (state_ != State::kClosed || ++failures_ < options_.failures_to_open) return;
  ++times_opened_;
  Open(options_.open_ms);
}

void CircuitBreaker::Open(int64_t for_ms) {
  state_ = State::kOpen;
  open_for_ms_ = for_ms;
  until_ms_ = NowMs() + for_ms;
}

CircuitBreaker::State CircuitBreaker::state() const {
  absl::MutexLock lock(&mutex_);
  return state_;
}

uint64_t CircuitBreaker::times_opened() const {
  absl::MutexLock lock(&mutex_);
  return times_opened_;
}

}  // namespace tarn::storage::redis
