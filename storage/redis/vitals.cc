#include "storage/redis/vitals.h"

#include <utility>
#include <vector>

namespace tarn::storage::redis {
namespace {

uint64_t Get(const std::atomic<uint64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

}  // namespace

void Vitals::SetLink(std::shared_ptr<Link> link) {
  absl::MutexLock lock(&mutex_);
  link_ = std::move(link);
}

void Vitals::SetOwnership(RedisOwnership ownership) {
  absl::MutexLock lock(&mutex_);
  if (ownership_ == RedisOwnership::kDeposed || ownership_ == RedisOwnership::kStoreLost) return;
  ownership_ = ownership;
}

void Vitals::SetFacts(ServerFacts facts) {
  absl::MutexLock lock(&mutex_);
  facts_ = std::move(facts);
}

RedisReport Vitals::Report() const {
  RedisReport report;
  report.topology = url_.topology;
  report.url = Redacted(url_);
  report.forbidden = counters_.forbidden.load(std::memory_order_relaxed);
  report.wait_replicas = url_.wait_replicas;
  report.node_changes = Get(node_changes_);
  report.retries = Get(counters_.retries);
  report.lost = Get(counters_.lost);
  report.settled = Get(counters_.settled);
  report.unknown = Get(counters_.unknown);
  report.healed = Get(counters_.healed);
  for (size_t end = 0; end < kSnapshotEnds; ++end) {
    report.snapshots_ended[end] = snapshots_.ended(static_cast<SnapshotEnd>(end));
  }
  absl::MutexLock lock(&mutex_);
  report.ownership = ownership_;
  if (link_ == nullptr) return report;
  report.routing = link_->Routing();
  for (NodeStats& node : link_->Stats()) {
    const auto facts = facts_.find(node.address);
    report.nodes.push_back({std::move(node), {}});
    if (facts != facts_.end()) report.nodes.back().facts = facts->second;
  }
  return report;
}

}  // namespace tarn::storage::redis
