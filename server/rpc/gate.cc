#include "server/rpc/gate.h"

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::server {

absl::Status Gate::Refusal() const {
  if (state() == State::kDraining) {
    return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kDraining,
                           "the server is shutting down; nothing was done");
  }
  if (const std::string owner = standing_by_for(); !owner.empty()) {
    return base::MakeError(
        absl::StatusCode::kUnavailable, base::Reason::kNotOwner,
        absl::StrCat("the store is owned by ", owner, "; this daemon stands by; nothing was done"));
  }
  return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kNotReady,
                         state() == State::kRestoring
                             ? "the server is restoring a checkpoint; nothing was done"
                             : "the server is opening its store; nothing was done");
}

void Gate::StandBy(absl::string_view owner) {
  const absl::MutexLock lock(&changing_);
  owner_ = std::string(owner);
}

std::string Gate::standing_by_for() const {
  const absl::MutexLock lock(&changing_);
  return state() == State::kStarting ? owner_ : "";
}

void Gate::Open(storage::Store& store) {
  const absl::MutexLock lock(&changing_);
  opened_.store(&store, std::memory_order_release);
  state_.store(State::kServing, std::memory_order_release);
  serving_.store(&store, std::memory_order_release);
}

void Gate::Drain() {
  const absl::MutexLock lock(&changing_);
  state_.store(State::kDraining, std::memory_order_release);
  serving_.store(nullptr, std::memory_order_release);
}

void Gate::Suspend() {
  const absl::MutexLock lock(&changing_);
  if (state() != State::kServing) return;
  state_.store(State::kRestoring, std::memory_order_release);
  serving_.store(nullptr, std::memory_order_release);
}

void Gate::Resume() {
  const absl::MutexLock lock(&changing_);
  if (state() != State::kRestoring) return;
  state_.store(State::kServing, std::memory_order_release);
  serving_.store(opened(), std::memory_order_release);
}

}  // namespace tarn::server
