#include "server/rpc/gate.h"

#include "storage/base/error.h"

namespace tarn::server {

absl::Status Gate::Refusal() const {
  if (state() == State::kDraining) {
    return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kDraining,
                           "the server is shutting down; nothing was done");
  }
  return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kNotReady,
                         "the server is opening its store; nothing was done");
}

void Gate::Open(storage::Store& store) {
  opened_.store(&store, std::memory_order_release);
  state_.store(State::kServing, std::memory_order_release);
  serving_.store(&store, std::memory_order_release);
}

void Gate::Drain() {
  state_.store(State::kDraining, std::memory_order_release);
  serving_.store(nullptr, std::memory_order_release);
}

}  // namespace tarn::server
