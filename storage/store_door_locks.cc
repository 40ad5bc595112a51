#include "storage/store_door_locks.h"

#include <utility>

#include "storage/base/status.h"

namespace tarn::storage {

template <typename Act, typename Refuse>
void StoreDoor::DoorLocks::Visit(Act act, Refuse refuse) const {
  const auto pass = door_.Enter();
  const absl::Status refusal = door_.RefusalOfAll();
  if (!refusal.ok()) return refuse(refusal);
  Locks& locks = door_.store_->locks();
  if (has_later_.load(std::memory_order_acquire)) CatchUp(locks);
  act(locks);
}

void StoreDoor::DoorLocks::CatchUp(Locks& locks) const {
  std::vector<TakenBack> later;
  {
    const absl::MutexLock lock(&mutex_);
    later.swap(later_);
    has_later_.store(false, std::memory_order_release);
  }
  for (const TakenBack& one : later) locks.TakeBack(one.ns, one.name, one.wait_id);
}

void StoreDoor::DoorLocks::Acquire(LockRequest request, Done<LockGrant> done) {
  Visit([&](Locks& locks) { locks.Acquire(std::move(request), std::move(done)); },
        [&](const absl::Status& refusal) { std::move(done)(refusal); });
}

void StoreDoor::DoorLocks::TakeBack(absl::string_view ns, absl::string_view name, WaitId wait_id) {
  Visit([&](Locks& locks) { locks.TakeBack(ns, name, wait_id); },
        [&](const absl::Status&) {
          const absl::MutexLock lock(&mutex_);
          later_.push_back({std::string(ns), std::string(name), wait_id});
          has_later_.store(true, std::memory_order_release);
        });
}

void StoreDoor::DoorLocks::Renew(absl::string_view ns, absl::string_view name, Revision token,
                                 int64_t ttl_ms, Done<LockGrant> done) {
  Visit([&](Locks& locks) { locks.Renew(ns, name, token, ttl_ms, std::move(done)); },
        [&](const absl::Status& refusal) { std::move(done)(refusal); });
}

void StoreDoor::DoorLocks::Release(absl::string_view ns, absl::string_view name, Revision token,
                                   Answered done) {
  Visit([&](Locks& locks) { locks.Release(ns, name, token, std::move(done)); },
        [&](const absl::Status& refusal) { std::move(done)(refusal); });
}

void StoreDoor::DoorLocks::ForceRelease(absl::string_view ns, absl::string_view name,
                                        Revision token, Done<FormerHolder> done) {
  Visit([&](Locks& locks) { locks.ForceRelease(ns, name, token, std::move(done)); },
        [&](const absl::Status& refusal) { std::move(done)(refusal); });
}

void StoreDoor::DoorLocks::JoinGroup(absl::string_view ns, absl::string_view group,
                                     absl::string_view member, Done<Revision> done) {
  Visit([&](Locks& locks) { locks.JoinGroup(ns, group, member, std::move(done)); },
        [&](const absl::Status& refusal) { std::move(done)(refusal); });
}

void StoreDoor::DoorLocks::DeleteGroup(absl::string_view ns, absl::string_view group,
                                       Done<bool> done) {
  Visit([&](Locks& locks) { locks.DeleteGroup(ns, group, std::move(done)); },
        [&](const absl::Status& refusal) { std::move(done)(refusal); });
}

absl::StatusOr<LockInfo> StoreDoor::DoorLocks::GetLock(absl::string_view ns,
                                                       absl::string_view name) const {
  const auto pass = door_.Enter();
  TARN_RETURN_IF_ERROR(door_.RefusalOfAll());
  return door_.store_->locks().GetLock(ns, name);
}

absl::StatusOr<GroupInfo> StoreDoor::DoorLocks::GetGroup(absl::string_view ns,
                                                         absl::string_view group) const {
  const auto pass = door_.Enter();
  TARN_RETURN_IF_ERROR(door_.RefusalOfAll());
  return door_.store_->locks().GetGroup(ns, group);
}

absl::StatusOr<std::vector<LockInfo>> StoreDoor::DoorLocks::ListLocks(absl::string_view ns,
                                                                      absl::string_view after,
                                                                      size_t max) const {
  const auto pass = door_.Enter();
  TARN_RETURN_IF_ERROR(door_.RefusalOfAll());
  return door_.store_->locks().ListLocks(ns, after, max);
}

absl::StatusOr<std::vector<GroupInfo>> StoreDoor::DoorLocks::ListGroups(absl::string_view ns,
                                                                        absl::string_view after,
                                                                        size_t max) const {
  const auto pass = door_.Enter();
  TARN_RETURN_IF_ERROR(door_.RefusalOfAll());
  return door_.store_->locks().ListGroups(ns, after, max);
}

void StoreDoor::DoorLocks::EndWaiting(const absl::Status& why) {
  Visit([&](Locks& locks) { locks.EndWaiting(why); }, [](const absl::Status&) {});
}

LockStats StoreDoor::DoorLocks::Stats() const {
  LockStats stats;
  Visit([&](Locks& locks) { stats = locks.Stats(); }, [](const absl::Status&) {});
  return stats;
}

}  // namespace tarn::storage
