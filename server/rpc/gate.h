// Whether the server answers requests for state, and why not when it does not.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "storage/store.h"

namespace tarn::server {

enum class State : uint8_t {
  kStarting,  // Opening or recovering the store.
  kServing,
  kDraining,   // Finishing what was accepted.
  kRestoring,  // Switching to a restored state.
};

// Thread-safe. What a request costs here is one load.
class Gate {
 public:
  // The store while the server serves, else null. A request that got it may go on using it: the
  // store outlives every call.
  storage::Store* store() const { return serving_.load(std::memory_order_acquire); }

  // Why there is no store: UNAVAILABLE with NOT_READY, NOT_OWNER or DRAINING.
  absl::Status Refusal() const;

  // While it starts: another daemon owns the store, and this one waits until that ends. "" when it
  // waits for it no longer.
  void StandBy(absl::string_view owner);
  // Whom it waits for; "" when it does not.
  std::string standing_by_for() const;

  State state() const { return state_.load(std::memory_order_acquire); }

  // The store even while draining, for answers about it; null until it is open.
  storage::Store* opened() const { return opened_.load(std::memory_order_acquire); }

  void Open(storage::Store& store);
  void Drain();

  // For a restore's switch; without effect while draining.
  void Suspend();
  void Resume();

 private:
  mutable absl::Mutex changing_;
  std::string owner_ ABSL_GUARDED_BY(changing_);  // While this one stands by.
  std::atomic<storage::Store*> serving_{nullptr};
  std::atomic<storage::Store*> opened_{nullptr};
  std::atomic<State> state_{State::kStarting};
};

}  // namespace tarn::server
