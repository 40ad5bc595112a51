#include "storage/redis/traffic.h"

#include <algorithm>

namespace tarn::storage::redis {
namespace {

// One that is measured counts as much less than those before it together.
constexpr int64_t kLatencyWeight = 16;

uint64_t Get(const std::atomic<uint64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

size_t BucketOf(int64_t nanos) {
  return std::lower_bound(kLatencyBoundsNs.begin(), kLatencyBoundsNs.end(), nanos) -
         kLatencyBoundsNs.begin();
}

}  // namespace

void Traffic::CountLatency(int64_t nanos) {
  const int64_t before = latency_ns();
  const int64_t now = before == 0 ? nanos : before + (nanos - before) / kLatencyWeight;
  latency_ns_.store(now, std::memory_order_relaxed);
  Add(latency_[BucketOf(nanos)], 1);
  Add(latency_sum_ns_, static_cast<uint64_t>(std::max<int64_t>(nanos, 0)));
}

void Traffic::CountWait(int64_t acknowledged, int64_t asked) {
  acknowledged_replicas_.store(acknowledged, std::memory_order_relaxed);
  if (acknowledged < asked) Add(short_waits_, 1);
}

TrafficTotals Traffic::Read() const {
  TrafficTotals totals;
  totals.commands = Get(commands_);
  totals.sent_bytes = Get(sent_bytes_);
  totals.received_bytes = Get(received_bytes_);
  for (size_t i = 0; i < kEvents; ++i) totals.errors[i] = Get(errors_[i]);
  for (size_t i = 0; i < kLatencyBuckets; ++i) totals.latency[i] = Get(latency_[i]);
  totals.latency_sum_ns = Get(latency_sum_ns_);
  totals.acknowledged_replicas = acknowledged_replicas_.load(std::memory_order_relaxed);
  totals.short_waits = Get(short_waits_);
  return totals;
}

}  // namespace tarn::storage::redis
