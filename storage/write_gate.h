// Lets writes into a namespace, and can be closed and emptied, so that "it holds nothing" can be
// said for sure.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace tarn::storage {

// Thread-safe. While it is open, entering and leaving cost one atomic step each, on a cache line
// that threads seldom share. Destroyed only when nobody is inside.
class WriteGate {
 public:
  // One who is inside, until destroyed.
  class Pass {
   public:
    Pass(Pass&& other) noexcept
        : gate_(std::exchange(other.gate_, nullptr)), stripe_(other.stripe_) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_ != nullptr) gate_->Leave(stripe_);
    }

   private:
    friend class WriteGate;
    Pass(WriteGate& gate, size_t stripe) : gate_(&gate), stripe_(stripe) {}

    WriteGate* gate_;
    size_t stripe_;
  };

  WriteGate() = default;
  WriteGate(const WriteGate&) = delete;
  WriteGate& operator=(const WriteGate&) = delete;

  // Nothing when it is closed.
  std::optional<Pass> Enter();

  // For whoever closed it: lets in the ones who waited outside.
  Pass EnterClosed();

  bool closed() const {
    return (stripes_[0].state.load(std::memory_order_acquire) & kClosedBit) != 0;
  }

  // Lets nobody in any more, and calls `when_empty` once those inside have left, perhaps at once;
  // on the thread of the last one, so it must not block. Not while an earlier one is pending.
  void Close(absl::AnyInvocable<void() &&> when_empty);

  // Closes it for those to come; whoever is inside is not waited for.
  void Close();

  void Open();

 private:
  static constexpr size_t kStripes = 4;
  static constexpr uint64_t kClosedBit = 1;
  static constexpr uint64_t kOneInside = 2;

  // The number inside, times two, and whether it is closed: in one word, so that an entry is
  // ordered before or after the closing.
  struct alignas(64) Stripe {
    std::atomic<uint64_t> state{0};
  };

  static size_t StripeOfThread();
  void Leave(size_t stripe);
  bool IsEmpty() const;

  std::array<Stripe, kStripes> stripes_;
  absl::Mutex mutex_;
  absl::AnyInvocable<void() &&> when_empty_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::storage
