// The owner's signs of life, and how it learns that it is the owner no more.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "storage/redis/core.h"
#include "storage/redis/link.h"
#include "storage/redis/owner.h"
#include "storage/redis/store_records.h"

namespace tarn::storage::redis {

// What the beats found. Called on the loop's thread.
struct HeartbeatEvents {
  // Another daemon owns the store. Once; there are no more beats.
  std::function<void()> deposed;
  // Redis knows of no owner and no store any more. At each beat.
  std::function<void()> empty;
  // Redis has forgotten what it had acknowledged up to this beat's revision.
  std::function<void(Revision then)> older;
};

// The loop's thread's.
class Heartbeats : public std::enable_shared_from_this<Heartbeats> {
 public:
  // `control` is a link without a guard.
  Heartbeats(Core& core, std::shared_ptr<Link> control, const OwnerRecord& mine,
             const OwnerOptions& options, HeartbeatEvents events);

  void Start() { Beat(); }

  // Out of turn: something has changed.
  void BeatNow();

  // Says that the store is free, once, and ends. `done` is called when that is known, or never
  // will.
  void Release(std::function<void()> done);

 private:
  void Beat();
  void Schedule();
  void Send(Heartbeat::State state, std::function<void(const Answer&)> done);
  void Take(const Answer& answer, const Heartbeat& sent);
  void LookAt(absl::string_view owner, absl::string_view before);
  void Reassert();

  Core& core_;
  const std::shared_ptr<Link> control_;
  const OwnerRecord mine_;
  const OwnerOptions options_;
  const HeartbeatEvents events_;
  uint64_t beat_ = 0;
  Heartbeat acknowledged_;  // The last one that Redis took.
  bool ended_ = false;
};

}  // namespace tarn::storage::redis
