// Locks and groups as they are.
#include <algorithm>
#include <iterator>

#include "absl/container/btree_map.h"
#include "storage/base/status.h"
#include "storage/locks/lock_errors.h"
#include "storage/locks/lock_table.h"
#include "storage/namespace_record.h"
#include "storage/namespaces.h"

namespace tarn::storage {
namespace {

absl::string_view NameOrDefault(absl::string_view ns) {
  return ns.empty() ? kDefaultNamespace : ns;
}

}  // namespace

LockInfo LockTable::InfoOf(const LockEntry& lock, base::UnixMs now) const {
  LockInfo info{.ns = lock.ns, .name = lock.name, .held = lock.held};
  info.queue_length = lock.queue.size() + lock.granting.size();
  if (!lock.held) return info;
  info.holder = lock.grant.holder;
  info.token = lock.grant.token;
  info.expire_time = lock.grant.deadline;
  info.remaining_ms = std::max<int64_t>(lock.grant.deadline - now, 0);
  info.acquire_time = lock.grant.acquire_time;
  return info;
}

absl::StatusOr<LockInfo> LockTable::GetLock(absl::string_view ns, absl::string_view name) const {
  TARN_RETURN_IF_ERROR(CheckNamespaceName(NameOrDefault(ns)));
  TARN_RETURN_IF_ERROR(CheckLockName("lock", name, dependencies_.limits));
  const NameView key{LockKind::kLock, NameOrDefault(ns), name};
  const Shard& shard = ShardOf(key);
  const absl::MutexLock guard(&shard.mutex);
  const LockEntry* const lock = Find(shard, key);
  if (lock != nullptr) return InfoOf(*lock, dependencies_.clock.Now());
  return LockInfo{.ns = std::string(key.ns), .name = std::string(name)};
}

absl::StatusOr<GroupInfo> LockTable::GetGroup(absl::string_view ns, absl::string_view group) const {
  TARN_RETURN_IF_ERROR(CheckNamespaceName(NameOrDefault(ns)));
  TARN_RETURN_IF_ERROR(CheckLockName("group", group, dependencies_.limits));
  const NameView key{LockKind::kGroup, NameOrDefault(ns), group};
  const Shard& shard = ShardOf(key);
  const absl::MutexLock guard(&shard.mutex);
  const LockEntry* const found = Find(shard, key);
  GroupInfo info{.ns = std::string(key.ns), .name = std::string(group)};
  if (found == nullptr || !found->held) return info;
  info.found = true;
  info.epoch = found->grant.token;
  info.member = found->grant.holder;
  info.join_time = found->grant.acquire_time;
  return info;
}

// The first `max` of each shard are enough to find the first `max` of all.
template <typename Info, typename Describe>
std::vector<Info> LockTable::List(LockKind kind, absl::string_view ns, absl::string_view after,
                                  size_t max, Describe describe) const {
  absl::btree_map<std::string, Info> first;
  for (const Shard& shard : *shards_) {
    const absl::MutexLock guard(&shard.mutex);
    for (const auto& lock : shard.locks) {
      if (lock->kind != kind || lock->ns != ns || lock->name <= after) continue;
      if (!lock->held && lock->queue.empty()) continue;
      if (first.size() >= max && (max == 0 || lock->name >= std::prev(first.end())->first))
        continue;
      first.emplace(lock->name, describe(*lock));
      if (first.size() > max) first.erase(std::prev(first.end()));
    }
  }
  std::vector<Info> list;
  list.reserve(first.size());
  for (auto& [name, info] : first) list.push_back(std::move(info));
  return list;
}

absl::StatusOr<std::vector<LockInfo>> LockTable::ListLocks(absl::string_view ns,
                                                           absl::string_view after,
                                                           size_t max) const {
  TARN_RETURN_IF_ERROR(CheckNamespaceName(NameOrDefault(ns)));
  const base::UnixMs now = dependencies_.clock.Now();
  return List<LockInfo>(LockKind::kLock, NameOrDefault(ns), after, max,
                        [&](const LockEntry& lock) { return InfoOf(lock, now); });
}

absl::StatusOr<std::vector<GroupInfo>> LockTable::ListGroups(absl::string_view ns,
                                                             absl::string_view after,
                                                             size_t max) const {
  TARN_RETURN_IF_ERROR(CheckNamespaceName(NameOrDefault(ns)));
  return List<GroupInfo>(LockKind::kGroup, NameOrDefault(ns), after, max,
                         [](const LockEntry& lock) {
                           return GroupInfo{.ns = lock.ns,
                                            .name = lock.name,
                                            .found = lock.held,
                                            .epoch = lock.grant.token,
                                            .member = lock.grant.holder,
                                            .join_time = lock.grant.acquire_time};
                         });
}

LockStats LockTable::Stats() const {
  const auto read = [](const std::atomic<uint64_t>& count) {
    return count.load(std::memory_order_relaxed);
  };
  return {.held = read(counts_.held),
          .waiting = read(counts_.waiting),
          .groups = read(counts_.groups),
          .acquired = read(counts_.acquired),
          .timed_out = read(counts_.timed_out),
          .given_up = read(counts_.given_up),
          .expired = read(counts_.expired),
          .released = read(counts_.released),
          .forced = read(counts_.forced),
          .joined = read(counts_.joined),
          .fenced_writes = read(counts_.fenced_writes)};
}

}  // namespace tarn::storage
