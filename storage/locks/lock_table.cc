#include "storage/locks/lock_table.h"

#include <algorithm>
#include <optional>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/locks/lock_errors.h"
#include "storage/namespace_record.h"
#include "storage/namespaces.h"

namespace tarn::storage {
namespace {

using base::MakeError;
using base::Reason;

absl::string_view NameOrDefault(absl::string_view ns) {
  return ns.empty() ? kDefaultNamespace : ns;
}

absl::Status TooMany(Reason reason, absl::string_view what, size_t limit) {
  return MakeError(absl::StatusCode::kResourceExhausted, reason,
                   absl::StrCat("there are ", limit, " ", what, ", as many as allowed"));
}

absl::Status Superseded() {
  return absl::CancelledError("another request of the same id has taken this one's place");
}

absl::Status Closing() {
  return MakeError(absl::StatusCode::kUnavailable, Reason::kNotReady,
                   "the store is being closed; nothing was done");
}

// 0 stands for none.
uint64_t RequestHash(absl::string_view ns, absl::string_view name, absl::string_view holder,
                     absl::string_view request_id) {
  if (request_id.empty()) return 0;
  return absl::HashOf(ns, name, holder, request_id) | 1;
}

}  // namespace

LockTable::LockTable(const Dependencies& dependencies)
    : dependencies_(dependencies),
      boot_id_(dependencies.boot.BootId()),
      shards_(std::make_unique<std::array<Shard, kShards>>()) {}

// Whoever still has something here is waited for before it goes: the thread, the fenced writes, the
// records under way, in the order in which one can bring forth the next.
LockTable::~LockTable() {
  EndWaiting(Closing());
  if (thread_.joinable()) {
    stopping_.store(true);
    alarm_->Ring();
    thread_.join();
  }
  const auto nobody_is_inside = [](Shard* shard) {
    shard->mutex.AssertReaderHeld();
    return std::all_of(shard->locks.begin(), shard->locks.end(),
                       [](const auto& lock) { return lock->inside == 0; });
  };
  for (Shard& shard : *shards_) {
    const absl::MutexLock lock(&shard.mutex);
    shard.mutex.Await(absl::Condition(+nobody_is_inside, &shard));
  }
  writes_.WaitForNone();
}

size_t LockTable::EntryHash::operator()(const NameView& name) const {
  return absl::HashOf(name.kind, name.ns, name.name);
}

// By other bits than the table's own.
LockTable::Shard& LockTable::ShardOf(const NameView& name) const {
  return (*shards_)[(EntryHash()(name) >> 40) % kShards];
}

LockEntry* LockTable::Find(const Shard& shard, const NameView& name) const {
  const auto found = shard.locks.find(name);
  return found == shard.locks.end() ? nullptr : found->get();
}

absl::StatusOr<LockEntry*> LockTable::FindOrAdd(Shard& shard, const NameView& name) {
  if (LockEntry* const found = Find(shard, name)) return found;
  const bool group = name.kind == LockKind::kGroup;
  std::atomic<uint64_t>& count = group ? counts_.groups : counts_.locks;
  const size_t limit = group ? dependencies_.limits.max_groups : dependencies_.limits.max_locks;
  if (count.fetch_add(1, std::memory_order_relaxed) >= limit) {
    count.fetch_sub(1, std::memory_order_relaxed);
    return group ? TooMany(Reason::kTooManyGroups, "groups", limit)
                 : TooMany(Reason::kTooManyLocks, "locks", limit);
  }
  auto lock = std::make_unique<LockEntry>();
  lock->kind = name.kind;
  lock->ns = std::string(name.ns);
  lock->name = std::string(name.name);
  return shard.locks.insert(std::move(lock)).first->get();
}

// --- fenced writes ---

absl::StatusOr<LockTable::Pass> LockTable::Enter(absl::string_view ns, const WriteFence& fence) {
  Pass pass(*this);
  if (fence.lock) TARN_RETURN_IF_ERROR(EnterOne(LockKind::kLock, ns, *fence.lock, pass.locks_[0]));
  if (fence.group)
    TARN_RETURN_IF_ERROR(EnterOne(LockKind::kGroup, ns, *fence.group, pass.locks_[1]));
  return pass;
}

void LockTable::GiveBack(Pass pass, const BatchResult& result, Engine& engine) {
  const bool unknown =
      absl::IsUnknown(result.status) ||
      std::any_of(result.results.begin(), result.results.end(),
                  [](const OperationResult& one) { return absl::IsUnknown(one.status); });
  if (unknown) engine.WhenSettled([pass = std::move(pass)] {});
}

absl::Status LockTable::EnterOne(LockKind kind, absl::string_view ns, const FencingToken& wanted,
                                 LockEntry*& entered) {
  const absl::string_view what = kind == LockKind::kLock ? "lock" : "group";
  TARN_RETURN_IF_ERROR(CheckLockName(what, wanted.name, dependencies_.limits));
  TARN_RETURN_IF_ERROR(CheckToken(wanted.token));
  const NameView name{kind, NameOrDefault(ns), wanted.name};
  Shard& shard = ShardOf(name);
  const absl::MutexLock guard(&shard.mutex);
  LockEntry* const lock = Find(shard, name);
  const bool held = lock != nullptr && lock->held && !lock->IsOver(dependencies_.clock.Now());
  if (held && !lock->ending && lock->grant.token == wanted.token) {
    ++lock->inside;
    entered = lock;
    return absl::OkStatus();
  }
  counts_.fenced_writes.fetch_add(1, std::memory_order_relaxed);
  const bool later = held && lock->grant.token > wanted.token;
  const absl::string_view holder = later ? absl::string_view(lock->grant.holder) : "";
  return name.kind == LockKind::kLock ? LockFenced(name.name, holder)
                                      : GroupFenced(name.name, holder);
}

void LockTable::Leave(const std::array<LockEntry*, 2>& locks) {
  for (LockEntry* const lock : locks) {
    if (lock == nullptr) continue;
    Shard& shard = ShardOf(NameOf(*lock));
    LockAfterwards after;
    {
      const absl::MutexLock guard(&shard.mutex);
      --lock->inside;
      if (lock->inside == 0 && lock->ending) Step(shard, *lock, after);
    }
    std::move(after).Run();
  }
}

// --- asking for a lock ---

void LockTable::Acquire(LockRequest request, Done<LockGrant> done) {
  if (request.ns.empty()) request.ns = std::string(kDefaultNamespace);
  const absl::Status status = CheckLockRequest(request, dependencies_.limits);
  if (!status.ok()) return std::move(done)(status);
  const NameView name{LockKind::kLock, request.ns, request.name};
  LockWaiter waiter;
  waiter.request_hash = RequestHash(name.ns, name.name, request.holder, request.request_id);
  waiter.holder = std::move(request.holder);
  waiter.request_id = std::move(request.request_id);
  waiter.ttl_ms = request.ttl_ms;
  waiter.wait_id = request.wait_id;
  waiter.done = std::move(done);
  Enqueue(name, std::move(waiter), request.wait_ms);
}

void LockTable::JoinGroup(absl::string_view ns, absl::string_view group, absl::string_view member,
                          Done<Revision> done) {
  absl::Status status = CheckNamespaceName(NameOrDefault(ns));
  if (status.ok()) status = CheckLockName("group", group, dependencies_.limits);
  if (status.ok()) status = CheckLockName("member", member, dependencies_.limits);
  if (!status.ok()) return std::move(done)(status);
  LockWaiter waiter;
  waiter.holder = std::string(member);
  waiter.done = [done = std::move(done)](const absl::StatusOr<LockGrant>& grant) mutable {
    if (!grant.ok()) return std::move(done)(grant.status());
    std::move(done)(grant->token);
  };
  // It waits for fenced writes in flight alone.
  Enqueue({LockKind::kGroup, NameOrDefault(ns), group}, std::move(waiter),
          dependencies_.limits.max_ttl_ms);
}

void LockTable::Enqueue(const NameView& name, LockWaiter waiter, int64_t wait_ms) {
  Shard& shard = ShardOf(name);
  LockAfterwards after;
  {
    const absl::MutexLock guard(&shard.mutex);
    const absl::StatusOr<LockEntry*> lock = FindOrAdd(shard, name);
    if (!lock.ok()) {
      after.Tell(std::move(waiter.done), lock.status());
    } else if (!Repeats(shard, **lock, waiter, after)) {
      const absl::Status refused = Refusal(shard, **lock, wait_ms);
      refused.ok() ? Add(shard, **lock, std::move(waiter), wait_ms)
                   : after.Tell(std::move(waiter.done), refused);
      (*lock)->resting = false;
      Step(shard, **lock, after);
    }
  }
  std::move(after).Run();
}

bool LockTable::IsFree(const LockEntry& lock) const {
  if (lock.writing || !lock.queue.empty()) return false;
  return !lock.held || (lock.IsOver(dependencies_.clock.Now()) && lock.inside == 0);
}

absl::Status LockTable::Refusal(const Shard& shard, const LockEntry& lock, int64_t wait_ms) {
  if (!shard.ended.ok()) return shard.ended;
  if (IsFree(lock)) return absl::OkStatus();
  if (wait_ms > 0) return RoomInQueue(lock);
  counts_.timed_out.fetch_add(1, std::memory_order_relaxed);
  return LockHeldByAnother(lock.name, lock.held ? lock.grant.holder : "", "");
}

// What is free goes to this one at once, and its wait is for the record.
void LockTable::Add(Shard& shard, LockEntry& lock, LockWaiter waiter, int64_t wait_ms) {
  const bool waits = !IsFree(lock) && lock.kind == LockKind::kLock;
  counts_.waiting.fetch_add(1, std::memory_order_relaxed);
  lock.queue.push_back(std::move(waiter));
  const auto place = std::prev(lock.queue.end());
  if (place->wait_id != 0) shard.waiting.insert({place->wait_id, {&lock, place}});
  if (place->request_hash != 0) shard.requests.insert({place->request_hash, {&lock, place}});
  if (!waits) return;
  const base::UnixMs until =
      dependencies_.clock.Now() + std::min(wait_ms, dependencies_.limits.max_ttl_ms);
  place->timer = Arm(shard, {.when = until, .lock = &lock, .of_waiter = true}, place);
}

absl::Status LockTable::RoomInQueue(const LockEntry& lock) const {
  const Limits& limits = dependencies_.limits;
  if (counts_.waiting.load(std::memory_order_relaxed) >= limits.max_lock_waiters)
    return TooMany(Reason::kLockQueueFull, "requests that wait for locks", limits.max_lock_waiters);
  if (lock.queue.size() >= limits.max_lock_queue)
    return TooMany(Reason::kLockQueueFull, "requests that wait for this lock",
                   limits.max_lock_queue);
  return absl::OkStatus();
}

// A request whose id has the lock gets the same answer; one whose id waits takes the place.
bool LockTable::Repeats(Shard& shard, LockEntry& lock, LockWaiter& waiter, LockAfterwards& after) {
  if (waiter.request_hash == 0) return false;
  const auto same = [&](absl::string_view holder, absl::string_view request_id) {
    return waiter.holder == holder && waiter.request_id == request_id;
  };
  const base::UnixMs now = dependencies_.clock.Now();
  if (lock.held && !lock.ending && !lock.IsOver(now) &&
      same(lock.grant.holder, lock.grant.request_id)) {
    LockGrant grant = GrantOf(lock.grant);
    grant.repeated = true;
    after.Tell(std::move(waiter.done), grant);
    return true;
  }
  const auto known = shard.requests.find(waiter.request_hash);
  if (known == shard.requests.end() || known->second.lock != &lock) return false;
  LockWaiter& earlier = *known->second.waiter;
  if (!earlier.done || !same(earlier.holder, earlier.request_id)) return false;
  const Place place = known->second;
  if (earlier.wait_id != 0) shard.waiting.erase(earlier.wait_id);
  after.Tell(std::exchange(earlier.done, std::move(waiter.done)), Superseded());
  earlier.wait_id = waiter.wait_id;
  if (earlier.wait_id != 0) shard.waiting.insert({earlier.wait_id, place});
  return true;
}

void LockTable::TakeBack(absl::string_view ns, absl::string_view name, WaitId wait_id) {
  const NameView key{LockKind::kLock, NameOrDefault(ns), name};
  Shard& shard = ShardOf(key);
  LockAfterwards after;
  {
    const absl::MutexLock guard(&shard.mutex);
    const auto found = shard.waiting.find(wait_id);
    if (found == shard.waiting.end() || found->second.lock != Find(shard, key)) return;
    const Place place = found->second;
    counts_.given_up.fetch_add(1, std::memory_order_relaxed);
    const absl::Status status = absl::CancelledError("the request was taken back");
    const bool is_being_granted =
        !place.lock->granting.empty() && place.waiter == place.lock->granting.begin();
    if (is_being_granted) {
      Unlist(shard, *place.waiter);
      place.waiter->wait_id = 0;
      place.waiter->request_hash = 0;
      after.Tell(std::exchange(place.waiter->done, nullptr), status);
    } else {
      after.Tell(TakeOut(shard, *place.lock, place.waiter).done, status);
      Step(shard, *place.lock, after);
    }
  }
  std::move(after).Run();
}

void LockTable::EndWaiting(const absl::Status& why) {
  for (Shard& shard : *shards_) {
    LockAfterwards after;
    {
      const absl::MutexLock guard(&shard.mutex);
      shard.ended = why;
      std::vector<LockEntry*> locks;
      for (const auto& lock : shard.locks) locks.push_back(lock.get());
      for (LockEntry* const lock : locks) {
        while (!lock->queue.empty())
          after.Tell(TakeOut(shard, *lock, lock->queue.begin()).done, why);
        Step(shard, *lock, after);
      }
    }
    std::move(after).Run();
  }
}

// --- keeping it, and giving it back ---

void LockTable::Renew(absl::string_view ns, absl::string_view name, Revision token, int64_t ttl_ms,
                      Done<LockGrant> done) {
  absl::Status status = CheckNamespaceName(NameOrDefault(ns));
  if (status.ok()) status = CheckLockName("lock", name, dependencies_.limits);
  if (status.ok()) status = CheckToken(token);
  if (status.ok()) status = CheckLockTtl(ttl_ms, dependencies_.limits);
  if (!status.ok()) return std::move(done)(status);
  const NameView key{LockKind::kLock, NameOrDefault(ns), name};
  Shard& shard = ShardOf(key);
  LockAfterwards after;
  {
    const absl::MutexLock guard(&shard.mutex);
    if (LockEntry* const lock = Find(shard, key)) {
      lock->renewals.push_back({.token = token, .ttl_ms = ttl_ms, .done = std::move(done)});
      Step(shard, *lock, after);
    } else {
      after.Tell(std::move(done), LockNotHeld(name));
    }
  }
  std::move(after).Run();
}

void LockTable::Release(absl::string_view ns, absl::string_view name, Revision token,
                        Answered done) {
  absl::Status status = CheckNamespaceName(NameOrDefault(ns));
  if (status.ok()) status = CheckLockName("lock", name, dependencies_.limits);
  if (status.ok()) status = CheckToken(token);
  if (!status.ok()) return std::move(done)(status);
  EndGrant({LockKind::kLock, NameOrDefault(ns), name},
           {.cause = LockEnding::Cause::kReleased,
            .token = token,
            .done = [done = std::move(done)](const absl::StatusOr<FormerHolder>& was) mutable {
              std::move(done)(was.status());
            }});
}

void LockTable::ForceRelease(absl::string_view ns, absl::string_view name, Revision token,
                             Done<FormerHolder> done) {
  absl::Status status = CheckNamespaceName(NameOrDefault(ns));
  if (status.ok()) status = CheckLockName("lock", name, dependencies_.limits);
  if (!status.ok()) return std::move(done)(status);
  EndGrant({LockKind::kLock, NameOrDefault(ns), name},
           {.cause = LockEnding::Cause::kForced, .token = token, .done = std::move(done)});
}

void LockTable::DeleteGroup(absl::string_view ns, absl::string_view group, Done<bool> done) {
  absl::Status status = CheckNamespaceName(NameOrDefault(ns));
  if (status.ok()) status = CheckLockName("group", group, dependencies_.limits);
  if (!status.ok()) return std::move(done)(status);
  EndGrant({LockKind::kGroup, NameOrDefault(ns), group},
           {.cause = LockEnding::Cause::kDeleted,
            .done = [done = std::move(done)](const absl::StatusOr<FormerHolder>& was) mutable {
              if (base::ReasonOf(was.status()) == Reason::kLockNotHeld)
                return std::move(done)(false);
              if (!was.ok()) return std::move(done)(was.status());
              std::move(done)(true);
            }});
}

void LockTable::EndGrant(const NameView& name, LockEnding ending) {
  Shard& shard = ShardOf(name);
  LockAfterwards after;
  {
    const absl::MutexLock guard(&shard.mutex);
    if (LockEntry* const lock = Find(shard, name)) {
      lock->endings.push_back(std::move(ending));
      Step(shard, *lock, after);
    } else {
      after.Tell(std::move(ending.done), LockNotHeld(name.name));
    }
  }
  std::move(after).Run();
}

}  // namespace tarn::storage
