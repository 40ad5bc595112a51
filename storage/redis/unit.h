// A piece of a batch: what is done on some keys by its own commands.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "storage/redis/backoff.h"
#include "storage/redis/core.h"
#include "storage/redis/key_order.h"

namespace tarn::storage::redis {

// Waits for its keys, tries, and tries again where that is safe. Keeps itself alive from Enter to
// Leave, and as long as an answer is awaited. The loop's thread's.
class Unit : public KeyTurn, public std::enable_shared_from_this<Unit> {
 public:
  ~Unit() override = default;

  void Enter();

  // It is not its turn yet, and who wants it may not wait any longer.
  void LoseTurn();

  // How many milliseconds whoever wants it still waits. The loop's thread's.
  virtual int64_t PatienceMs() const { return Caller::kForEver; }

 protected:
  Unit(Core& core, Partition partition) : core_(core), partition_(partition) {}

  void OnTurn() final;

  virtual void Begin() { Attempt(); }

  // Begins anew, with a lease of its own.
  virtual void Attempt() = 0;

  // Nothing was done, and there is no other attempt. Perhaps before the first one.
  virtual void GiveUp(const absl::Status& status) = 0;

  // False when there is none: then the unit has been told that the attempt failed.
  bool TakeLease(CommandKind kind);

  // An attempt failed without doing anything: another one follows, or GiveUp does, later.
  void AttemptFailed(const Outcome& outcome);

  // The last thing that a unit does with its keys.
  void Leave();

  Core& core_;
  const Partition partition_;
  std::shared_ptr<KeyLease> lease_;

 private:
  std::optional<Backoff> backoff_;
  std::shared_ptr<Unit> self_;
  bool has_turn_ = false;
};

// Of a caller that may be nobody.
inline int64_t PatienceOf(const Caller* caller) {
  return caller == nullptr ? Caller::kForEver : caller->PatienceMs();
}

// Whether the same may be sent again after such an outcome.
bool MayRepeat(const Outcome& outcome);

}  // namespace tarn::storage::redis
