#include "storage/write_gate.h"

namespace tarn::storage {

size_t WriteGate::StripeOfThread() {
  static std::atomic<size_t> threads{0};
  thread_local const size_t stripe = threads.fetch_add(1, std::memory_order_relaxed) % kStripes;
  return stripe;
}

std::optional<WriteGate::Pass> WriteGate::Enter() {
  const size_t stripe = StripeOfThread();
  const uint64_t before = stripes_[stripe].state.fetch_add(kOneInside, std::memory_order_acq_rel);
  Pass pass(*this, stripe);
  if ((before & kClosedBit) != 0) return std::nullopt;
  return pass;
}

WriteGate::Pass WriteGate::EnterClosed() {
  const size_t stripe = StripeOfThread();
  stripes_[stripe].state.fetch_add(kOneInside, std::memory_order_acq_rel);
  return Pass(*this, stripe);
}

// An open gate is not touched after the step that leaves it, and a closed one not after its mutex
// is released: the moment it is empty, its owner may destroy it.
void WriteGate::Leave(size_t stripe) {
  std::atomic<uint64_t>& state = stripes_[stripe].state;
  uint64_t seen = state.load(std::memory_order_relaxed);
  while ((seen & kClosedBit) == 0) {
    if (state.compare_exchange_weak(seen, seen - kOneInside, std::memory_order_acq_rel)) return;
  }
  absl::AnyInvocable<void() &&> when_empty;
  {
    absl::MutexLock lock(&mutex_);
    state.fetch_sub(kOneInside, std::memory_order_acq_rel);
    if (when_empty_ && IsEmpty()) when_empty = std::exchange(when_empty_, nullptr);
  }
  if (when_empty) std::move(when_empty)();
}

void WriteGate::Close(absl::AnyInvocable<void() &&> when_empty) {
  {
    absl::MutexLock lock(&mutex_);
    for (Stripe& stripe : stripes_) stripe.state.fetch_or(kClosedBit, std::memory_order_acq_rel);
    if (!IsEmpty()) {
      when_empty_ = std::move(when_empty);
      return;
    }
  }
  std::move(when_empty)();
}

void WriteGate::Close() {
  for (Stripe& stripe : stripes_) stripe.state.fetch_or(kClosedBit, std::memory_order_acq_rel);
}

void WriteGate::Open() {
  for (Stripe& stripe : stripes_) stripe.state.fetch_and(~kClosedBit, std::memory_order_acq_rel);
}

// Those inside leave under the mutex once it is closed, so nobody is overlooked between two
// stripes.
bool WriteGate::IsEmpty() const {
  for (const Stripe& stripe : stripes_) {
    if (stripe.state.load(std::memory_order_acquire) >= kOneInside) return false;
  }
  return true;
}

}  // namespace tarn::storage
