#include "storage/redis/store_access.h"

#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "storage/base/error.h"
#include "storage/base/logging.h"
#include "storage/base/status.h"
#include "storage/redis/scripts.h"
#include "storage/redis/server_check.h"
#include "storage/redis/survey.h"
#include <asio/post.hpp>

namespace tarn::storage::redis {
namespace {

// How long an open waits between two looks at what it waits for.
constexpr absl::Duration kLook = absl::Milliseconds(100);
// How long a closing waits for Redis to take note of it.
constexpr absl::Duration kReleasePatience = absl::Seconds(1);

}  // namespace

StoreAccess::StoreAccess(Core& core, Vitals& vitals, const RedisOptions& options,
                         const RedisUrl& url, PoolOptions pool, OwnershipEvents events)
    : core_(core),
      vitals_(vitals),
      options_(options),
      url_(url),
      pool_(std::move(pool)),
      events_(std::move(events)) {}

// --- opening ---

absl::Status StoreAccess::Open(const absl::Notification& stop) {
  PoolOptions pool = pool_;
  pool.min_connections = 1;
  pool.max_connections = 1;
  pool.connection.client_name = absl::StrCat("tarn-control:", options_.key_prefix);
  control_ = MakeLink(pool, {}, deaf_);
  vitals_.SetLink(control_);
  TARN_RETURN_IF_ERROR(WaitReady(*control_, stop));
  vitals_.SetOwnership(RedisOwnership::kStandby);
  asio::post(core_.context,
             [survey = std::make_shared<Survey>(core_, control_, vitals_)] { survey->Begin(); });
  Asking control(core_.context, *control_, core_.address);
  TARN_ASSIGN_OR_RETURN(const Taken taken, TakeStore(control, stop));
  heartbeat_before_ = taken.before;
  TARN_ASSIGN_OR_RETURN(durability_, CheckServers(control, url_, options_.eviction));
  return OpenGuarded(taken.mine, stop);
}

std::shared_ptr<Link> StoreAccess::MakeLink(const PoolOptions& pool, LinkGuard guard,
                                            LinkListener& listener) {
  std::promise<std::shared_ptr<Link>> made;
  asio::post(core_.context, [&] {
    made.set_value(redis::MakeLink(core_.context, wire_clock_, core_.random,
                                   {url_, pool, std::move(guard)}, listener));
  });
  return made.get_future().get();
}

absl::Status StoreAccess::WaitReady(Link& link, const absl::Notification& stop) const {
  auto ready = std::make_shared<absl::Notification>();
  asio::post(core_.context, [&link, ready] { link.WhenReady([ready] { ready->Notify(); }); });
  if (!ready->WaitForNotificationWithTimeout(absl::Seconds(1))) {
    base::LogWarning("redis: waiting for ", core_.address);
  }
  while (!ready->HasBeenNotified()) {
    if (stop.HasBeenNotified()) return absl::CancelledError("stopped before Redis was there");
    if (deposed_) return NotOwner();
    ready->WaitForNotificationWithTimeout(kLook);
  }
  return absl::OkStatus();
}

absl::StatusOr<Taken> StoreAccess::TakeStore(Asking& control, const absl::Notification& stop) {
  OwnerTaker taker(control, core_.layout, options_.key_prefix, options_.owner, wire_clock_,
                   core_.random, events_.stand_by);
  return taker.Take(stop);
}

absl::Status StoreAccess::OpenGuarded(const OwnerRecord& mine, const absl::Notification& stop) {
  PoolOptions pool = pool_;
  pool.connection.client_name = ConnectionName(options_.key_prefix, mine);
  pool.connection.scripts = AllScripts();
  LinkGuard guard;
  guard.key = [this](Partition partition) { return core_.layout.Owner(partition); };
  guard.expected = EncodeOwner(mine);
  core_.link = MakeLink(pool, std::move(guard), *this);
  // Behind it: a beat may find out at once that the store is somebody else's, which ends the link.
  StartHeartbeats(mine);
  vitals_.SetLink(core_.link);
  vitals_.SetOwnership(RedisOwnership::kOwner);
  TARN_RETURN_IF_ERROR(WaitReady(*core_.link, stop));
  asking_ = std::make_unique<Asking>(core_.context, *core_.link, core_.address);
  return absl::OkStatus();
}

// --- who owns the store ---

void StoreAccess::StartHeartbeats(const OwnerRecord& mine) {
  asio::post(core_.context, [this, mine] {
    // The first beats say no less than the last one of the owner before.
    if (heartbeat_before_) core_.NoteCommit(heartbeat_before_->revision);
    heartbeats_ = std::make_shared<Heartbeats>(core_, control_, mine, options_.owner, Events());
    heartbeats_->Start();
  });
}

HeartbeatEvents StoreAccess::Events() {
  HeartbeatEvents events;
  events.deposed = [this] { Deposed(); };
  events.empty = [this] { FoundEmpty(); };
  events.older = [this](Revision then) { FoundOlder(then); };
  return events;
}

void StoreAccess::Deposed() {
  if (deposed_.exchange(true)) return;
  base::LogError("redis: another daemon has taken the store");
  vitals_.SetOwnership(RedisOwnership::kDeposed);
  core_.deposed = true;
  if (core_.link != nullptr) core_.link->Close(NotOwner());
  events_.deposed();
}

void StoreAccess::FoundEmpty() {
  if (lost_.exchange(true)) return;
  vitals_.SetOwnership(RedisOwnership::kStoreLost);
  base::LogError("redis: ", core_.address,
                 " has come back empty: nothing is written there until its data is back, or tarnd "
                 "is started anew");
}

void StoreAccess::FoundOlder(Revision then) {
  core_.counters.errors.fetch_add(1, std::memory_order_relaxed);
  base::LogError("redis: ", core_.address,
                 " has come back older than it was: what it acknowledged up to revision ", then,
                 " may be lost");
}

void StoreAccess::OnNodeChanged(const std::string& address, const std::string& why) {
  base::LogWarning("redis: ", address, ": ", why);
  vitals_.CountNodeChange();
  core_.known.Clear();
  core_.index_log.OnNodeChanged();
  core_.observer->OnNodeChanged(absl::AbortedError(absl::StrCat(address, ": ", why)));
  if (heartbeats_ != nullptr) heartbeats_->BeatNow();
}

void StoreAccess::OnGuardRefused(const std::string& /*address*/) {
  if (heartbeats_ != nullptr) heartbeats_->BeatNow();
}

// --- closing ---

void StoreAccess::Release() {
  auto released = std::make_shared<std::promise<void>>();
  std::future<void> known = released->get_future();
  asio::post(core_.context, [this, released] {
    if (heartbeats_ == nullptr) return released->set_value();
    heartbeats_->Release([released] { released->set_value(); });
  });
  known.wait_for(absl::ToChronoMilliseconds(kReleasePatience));
}

void StoreAccess::Close(const absl::Status& cause) {
  if (core_.link != nullptr) core_.link->Close(cause);
  if (control_ != nullptr) control_->Close(cause);
}

}  // namespace tarn::storage::redis
