#include "tarn/testing/fake_lock_connection.h"

#include "tarn/error.h"

namespace tarn::testing {
namespace {

using absl::StatusCode;
using std::chrono::milliseconds;

using Place = std::pair<std::string, std::string>;

Place PlaceOf(const std::string& ns, const std::string& name) {
  return {ns.empty() ? "default" : ns, name};
}

absl::Status NotHeld() {
  return MakeError(StatusCode::kFailedPrecondition, Reason::kLockNotHeld, "nobody holds the lock");
}

absl::Status HeldByAnother(const std::string& holder) {
  return MakeError(StatusCode::kFailedPrecondition, Reason::kLockHeldByAnother,
                   holder + " holds the lock");
}

absl::Status CheckName(const std::string& name) {
  if (!name.empty() && name.size() <= FakeStore::kMaxLockNameBytes) return absl::OkStatus();
  return MakeError(StatusCode::kInvalidArgument, Reason::kInvalidLock,
                   "a name is empty, or too long");
}

absl::Status CheckLockTtl(milliseconds ttl) {
  if (ttl.count() > 0 && ttl <= FakeStore::kMaxLockTtl) return absl::OkStatus();
  return MakeError(StatusCode::kInvalidArgument, Reason::kInvalidTtl,
                   "the TTL is not positive, or too long");
}

absl::Status CheckToken(Revision token) {
  if (token != 0) return absl::OkStatus();
  return MakeError(StatusCode::kInvalidArgument, Reason::kInvalidLock, "0 is no token");
}

absl::Status First(std::initializer_list<absl::Status> all) {
  for (const absl::Status& one : all) {
    if (!one.ok()) return one;
  }
  return absl::OkStatus();
}

template <typename Map>
auto In(const Map& all, const std::string& ns) {
  std::vector<typename Map::mapped_type> found;
  for (const auto& [place, one] : all) {
    if (place.first == PlaceOf(ns, "").first) found.push_back(one);
  }
  return found;
}

}  // namespace

// What one call does under the store's mutex.
template <typename Act>
auto FakeStore::Locking(std::string_view call, Act act) -> decltype(act()) {
  const std::lock_guard lock(mutex_);
  const std::optional<Fault> fault = Begin(call);
  if (fault.has_value() && fault->time == FaultTime::kBefore) return fault->status;
  std::erase_if(locks_, [this](const auto& one) { return one.second.expire_time <= now_; });
  auto answer = act();
  if (fault.has_value()) return fault->status;
  return answer;
}

absl::StatusOr<LockState*> FakeStore::HeldUnder(const std::string& ns, const std::string& name,
                                                Revision token) {
  const auto found = locks_.find(PlaceOf(ns, name));
  if (found == locks_.end()) return NotHeld();
  LockState& lock = found->second;
  if (token != 0 && lock.token != token) return HeldByAnother(lock.holder);
  return &lock;
}

absl::Status FakeStore::CheckFence(const std::string& ns, const WriteFence& fence) const {
  const auto fenced = [](const char* why) {
    return MakeError(StatusCode::kFailedPrecondition, Reason::kFenced, why);
  };
  const auto lock = locks_.find(PlaceOf(ns, fence.lock));
  const bool held =
      lock != locks_.end() && lock->second.token == fence.token && lock->second.expire_time > now_;
  if (fence.token != 0 && !held)
    return fenced("the lock is not held under the token of this write");
  const auto group = groups_.find(PlaceOf(ns, fence.group));
  const bool present = group != groups_.end() && group->second.epoch == fence.epoch;
  if (fence.epoch != 0 && !present) return fenced("the epoch of this write is not the group's");
  return absl::OkStatus();
}

absl::StatusOr<LockGrant> FakeLockConnection::Acquire(const AcquireLockParams& params) {
  FakeStore& store = *store_;
  return store.Locking("AcquireLock", [&]() -> absl::StatusOr<LockGrant> {
    const LockOptions& options = params.options;
    const absl::Status valid =
        First({CheckName(params.name), CheckName(options.holder), CheckLockTtl(options.ttl)});
    if (!valid.ok()) return valid;
    const Place place = PlaceOf(params.ns, params.name);
    const auto known = store.locks_.find(place);
    std::string& request = store.lock_requests_[place];
    if (known != store.locks_.end()) {
      const LockState& lock = known->second;
      const bool same = !params.request_id.empty() && request == params.request_id;
      if (!same || lock.holder != options.holder) return HeldByAnother(lock.holder);
      return LockGrant{lock.token, lock.expire_time, store.Left(lock), true};
    }
    request = params.request_id;
    const LockState lock{.ns = place.first,
                         .name = params.name,
                         .held = true,
                         .holder = options.holder,
                         .token = store.NextRevision(),
                         .expire_time = store.now_ + options.ttl,
                         .remaining = options.ttl,
                         .acquire_time = store.now_};
    store.locks_.emplace(place, lock);
    return LockGrant{lock.token, lock.expire_time, options.ttl, false};
  });
}

absl::StatusOr<LockGrant> FakeLockConnection::Renew(const std::string& ns, const std::string& name,
                                                    Revision token, milliseconds ttl, Timeout) {
  FakeStore& store = *store_;
  return store.Locking("RenewLock", [&]() -> absl::StatusOr<LockGrant> {
    const absl::Status valid = First({CheckName(name), CheckToken(token), CheckLockTtl(ttl)});
    if (!valid.ok()) return valid;
    const absl::StatusOr<LockState*> lock = store.HeldUnder(ns, name, token);
    if (!lock.ok()) return lock.status();
    (*lock)->expire_time = store.now_ + ttl;
    return LockGrant{token, (*lock)->expire_time, ttl, false};
  });
}

absl::Status FakeLockConnection::Release(const std::string& ns, const std::string& name,
                                         Revision token, Timeout) {
  FakeStore& store = *store_;
  return store.Locking("ReleaseLock", [&]() -> absl::Status {
    const absl::Status valid = First({CheckName(name), CheckToken(token)});
    if (!valid.ok()) return valid;
    const absl::StatusOr<LockState*> lock = store.HeldUnder(ns, name, token);
    if (lock.ok()) store.locks_.erase(PlaceOf(ns, name));
    return lock.status();
  });
}

absl::StatusOr<LockState> FakeLockConnection::Get(const std::string& ns, const std::string& name) {
  FakeStore& store = *store_;
  return store.Locking("GetLock", [&]() -> absl::StatusOr<LockState> {
    const absl::StatusOr<LockState*> lock = store.HeldUnder(ns, name, 0);
    if (!lock.ok()) return LockState{.ns = PlaceOf(ns, name).first, .name = name};
    LockState state = **lock;
    state.remaining = store.Left(state);
    return state;
  });
}

absl::StatusOr<std::vector<LockState>> FakeLockConnection::List(const std::string& ns) {
  FakeStore& store = *store_;
  return store.Locking("ListLocks", [&]() -> absl::StatusOr<std::vector<LockState>> {
    std::vector<LockState> all = In(store.locks_, ns);
    for (LockState& lock : all) lock.remaining = store.Left(lock);
    return all;
  });
}

absl::StatusOr<FormerHolder> FakeLockConnection::ForceRelease(const std::string& ns,
                                                              const std::string& name,
                                                              Revision token) {
  FakeStore& store = *store_;
  return store.Locking("ForceReleaseLock", [&]() -> absl::StatusOr<FormerHolder> {
    const absl::StatusOr<LockState*> lock = store.HeldUnder(ns, name, token);
    if (!lock.ok()) return lock.status();
    FormerHolder former{(*lock)->holder, (*lock)->token};
    store.locks_.erase(PlaceOf(ns, name));
    return former;
  });
}

absl::StatusOr<Revision> FakeLockConnection::JoinGroup(const std::string& ns,
                                                       const std::string& group,
                                                       const std::string& member) {
  FakeStore& store = *store_;
  return store.Locking("JoinGroup", [&]() -> absl::StatusOr<Revision> {
    const absl::Status valid = First({CheckName(group), CheckName(member)});
    if (!valid.ok()) return valid;
    const Place place = PlaceOf(ns, group);
    const Revision epoch = store.NextRevision();
    store.groups_[place] = {place.first, group, epoch, member, store.now_};
    return epoch;
  });
}

absl::StatusOr<std::optional<GroupState>> FakeLockConnection::GetGroup(const std::string& ns,
                                                                       const std::string& group) {
  FakeStore& store = *store_;
  return store.Locking("GetGroup", [&]() -> absl::StatusOr<std::optional<GroupState>> {
    const auto found = store.groups_.find(PlaceOf(ns, group));
    if (found == store.groups_.end()) return std::nullopt;
    return found->second;
  });
}

absl::StatusOr<std::vector<GroupState>> FakeLockConnection::ListGroups(const std::string& ns) {
  FakeStore& store = *store_;
  return store.Locking("ListGroups", [&]() -> absl::StatusOr<std::vector<GroupState>> {
    return In(store.groups_, ns);
  });
}

absl::StatusOr<bool> FakeLockConnection::DeleteGroup(const std::string& ns,
                                                     const std::string& group) {
  FakeStore& store = *store_;
  return store.Locking("DeleteGroup", [&]() -> absl::StatusOr<bool> {
    return store.groups_.erase(PlaceOf(ns, group)) > 0;
  });
}

}  // namespace tarn::testing
