// What the engine tells of itself while it opens, serves and ends.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "storage/redis/core.h"
#include "storage/redis/link.h"
#include "storage/redis/redis_url.h"
#include "storage/redis/snapshots.h"
#include "storage/redis_report.h"

namespace tarn::storage::redis {

// By the server's address.
using ServerFacts = absl::flat_hash_map<std::string, RedisServerFacts>;

// Thread-safe. All that it is given outlives it.
class Vitals {
 public:
  Vitals(const RedisUrl& url, const CoreCounters& counters, const SnapshotRegistry& snapshots)
      : url_(url), counters_(counters), snapshots_(snapshots) {}

  // The link whose nodes are shown: the one without a guard, until the other one is there.
  void SetLink(std::shared_ptr<Link> link);
  // One that was deposed, or has lost its store, stays so.
  void SetOwnership(RedisOwnership ownership);
  void SetFacts(ServerFacts facts);
  void CountNodeChange() { node_changes_.fetch_add(1, std::memory_order_relaxed); }

  RedisReport Report() const;

 private:
  const RedisUrl& url_;
  const CoreCounters& counters_;
  const SnapshotRegistry& snapshots_;
  std::atomic<uint64_t> node_changes_ = 0;

  mutable absl::Mutex mutex_;
  std::shared_ptr<Link> link_ ABSL_GUARDED_BY(mutex_);
  RedisOwnership ownership_ ABSL_GUARDED_BY(mutex_) = RedisOwnership::kConnecting;
  ServerFacts facts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::storage::redis
