// The way to the store in Redis: its links, and who owns it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "storage/base/clock.h"
#include "storage/redis/asking.h"
#include "storage/redis/core.h"
#include "storage/redis/heartbeats.h"
#include "storage/redis/link.h"
#include "storage/redis/owner.h"
#include "storage/redis/redis_options.h"
#include "storage/redis/redis_url.h"
#include "storage/redis/vitals.h"

namespace tarn::storage::redis {

// What becomes of the ownership.
struct OwnershipEvents {
  OnStandBy stand_by;             // On the thread that opens.
  std::function<void()> deposed;  // Another daemon has taken the store. Once, on the loop's thread.
};

// Two links: one without a guard, over which the store is taken and signs of life are given, and
// the guarded one, on which only the owner's commands go out. Destroyed after the loop has ended.
class StoreAccess final : public LinkListener {
 public:
  // All references outlive it.
  StoreAccess(Core& core, Vitals& vitals, const RedisOptions& options, const RedisUrl& url,
              PoolOptions pool, OwnershipEvents events);

  // Waits until Redis can be reached and the store is nobody else's; then the core has its link.
  // CANCELLED when `stop` came first. Blocks.
  absl::Status Open(const absl::Notification& stop);

  // Says that the store is free, if it is this daemon's. Waits a second at most; not for the loop's
  // thread.
  void Release();

  // Ends every connection. The loop's thread's.
  void Close(const absl::Status& cause);

  // From when Open has returned.
  Asking& asking() { return *asking_; }
  // What the owner before last said.
  const std::optional<Heartbeat>& heartbeat_before() const { return heartbeat_before_; }
  // Redis has come back without what it had acknowledged up to that revision.
  void FoundOlder(Revision then);
  // One sentence for operators: what an acknowledged write survives.
  const std::string& durability() const { return durability_; }

  // Another daemon has taken the store. Thread-safe.
  bool deposed() const { return deposed_; }

  // Whether writes can be done at all, as far as is known. Thread-safe.
  bool writable() const { return !deposed_ && !lost_; }

  // --- of the guarded link, on the loop's thread ---

  void OnNodeChanged(const std::string& address, const std::string& why) override;
  void OnGuardRefused(const std::string& address) override;

 private:
  // What the unguarded link says: nobody needs to know.
  class DeafListener final : public LinkListener {
   public:
    void OnNodeChanged(const std::string&, const std::string&) override {}
    void OnGuardRefused(const std::string&) override {}
  };

  std::shared_ptr<Link> MakeLink(const PoolOptions& pool, LinkGuard guard, LinkListener& listener);
  absl::Status WaitReady(Link& link, const absl::Notification& stop) const;
  absl::StatusOr<Taken> TakeStore(Asking& control, const absl::Notification& stop);
  absl::Status OpenGuarded(const OwnerRecord& mine, const absl::Notification& stop);
  void StartHeartbeats(const OwnerRecord& mine);
  HeartbeatEvents Events();
  void Deposed();
  void FoundEmpty();

  Core& core_;
  Vitals& vitals_;
  const RedisOptions& options_;
  const RedisUrl& url_;
  const PoolOptions pool_;
  const OwnershipEvents events_;
  const base::SystemClock wire_clock_;  // Of time-outs, which the real time decides.
  DeafListener deaf_;
  std::shared_ptr<Link> control_;
  std::shared_ptr<Heartbeats> heartbeats_;
  std::unique_ptr<Asking> asking_;  // On the guarded link.
  std::optional<Heartbeat> heartbeat_before_;
  std::string durability_;
  std::atomic<bool> deposed_ = false;
  std::atomic<bool> lost_ = false;  // Redis has come back without the store.
};

}  // namespace tarn::storage::redis
