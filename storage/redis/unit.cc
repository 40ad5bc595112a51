#include "storage/redis/unit.h"

#include <utility>
#include <vector>

#include "storage/base/error.h"

namespace tarn::storage::redis {
namespace {

// How much too late it may be noticed that a caller waits no longer. One timer serves all who wait.
constexpr int64_t kLookMs = 50;

void LookAtWaiting(Core& core) {
  std::vector<std::shared_ptr<Unit>> late;
  for (Unit* const unit : core.waiting) {
    if (unit->PatienceMs() <= 0) late.push_back(unit->shared_from_this());
  }
  for (const std::shared_ptr<Unit>& unit : late) {
    // One that lost its turn may have given it to another.
    if (core.waiting.contains(unit.get())) unit->LoseTurn();
  }
}

void KeepLooking(Core& core) {
  After(core, kLookMs, [&core] {
    LookAtWaiting(core);
    core.looks_at_waiting = !core.waiting.empty() && !core.closing;
    if (core.looks_at_waiting) KeepLooking(core);
  });
}

void WatchPatience(Core& core, Unit& unit) {
  if (unit.PatienceMs() == Caller::kForEver) return;
  core.waiting.insert(&unit);
  if (!std::exchange(core.looks_at_waiting, true)) KeepLooking(core);
}

}  // namespace

bool MayRepeat(const Outcome& outcome) {
  if (outcome.executed != Executed::kNo) return false;
  switch (outcome.action) {
    case Action::kRetry:
    case Action::kFollow:
    case Action::kDropNode:
    case Action::kLoadScript:
    case Action::kAbortAndRetry:
      return true;
    case Action::kReturn:
    case Action::kNotReady:
    case Action::kSettle:
      return false;
  }
  return false;
}

void Unit::Enter() {
  self_ = shared_from_this();
  const std::shared_ptr<Unit> self = self_;
  core_.order.Enter(*this);
  if (!has_turn_) WatchPatience(core_, *this);
}

void Unit::OnTurn() {
  has_turn_ = true;
  core_.waiting.erase(this);
  Begin();
}

void Unit::LoseTurn() {
  core_.waiting.erase(this);
  GiveUp(base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kEngineUnavailable,
                         "the caller's time was over before the key was free; nothing was done"));
}

bool Unit::TakeLease(CommandKind kind) {
  Leased leased = core_.link->Lease(partition_, keys);
  lease_ = std::move(leased.lease);
  if (lease_ != nullptr) return true;
  AttemptFailed(NoConnection(leased.result, kind));
  return false;
}

// Never tells at once: whoever is told leaves, the next one has its turn and fails likewise, and so
// on through a whole line, on one stack.
void Unit::AttemptFailed(const Outcome& outcome) {
  lease_.reset();
  core_.NoteRights(outcome);
  if (!backoff_) backoff_.emplace(core_.backoff, core_.random);
  std::optional<int64_t> wait_ms;
  if (MayRepeat(outcome) && !core_.closing && !core_.deposed) {
    wait_ms = backoff_->NextMs(PatienceMs());
  }
  if (!wait_ms) {
    return After(core_, 0, [self = shared_from_this(), outcome] {
      self->GiveUp(self->core_.deposed ? NotOwner() : ToStatus(outcome, self->core_.address));
    });
  }
  core_.counters.retries.fetch_add(1, std::memory_order_relaxed);
  After(core_, *wait_ms, [self = shared_from_this()] { self->Attempt(); });
}

void Unit::Leave() {
  const std::shared_ptr<Unit> self = std::move(self_);
  lease_.reset();
  core_.order.Leave(*this);
}

}  // namespace tarn::storage::redis
