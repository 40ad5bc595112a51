// What goes to one node and comes back, counted.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "storage/redis_stats.h"

namespace tarn::storage::redis {

// Read by any thread; everything else is the loop's thread's, unless it says otherwise, and so
// costs no more than plain additions.
class Traffic {
 public:
  // To read the clock twice for each command would cost more than it tells.
  static constexpr uint64_t kMeasuredEvery = 16;

  void CountCommand() { Add(commands_, 1); }
  void CountSent(size_t bytes) { Add(sent_bytes_, bytes); }
  void CountReceived(size_t bytes) { Add(received_bytes_, bytes); }
  // By any thread.
  void CountError(Event event) {
    errors_[static_cast<size_t>(event)].fetch_add(1, std::memory_order_relaxed);
  }
  void CountLatency(int64_t nanos);
  void CountWait(int64_t acknowledged, int64_t asked);

  // From sending to the answer, smoothed over the last few hundred; 0: none was measured.
  int64_t latency_ns() const { return latency_ns_.load(std::memory_order_relaxed); }

  TrafficTotals Read() const;

 private:
  using Counter = std::atomic<uint64_t>;

  static void Add(Counter& counter, uint64_t amount) {
    counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }

  Counter commands_ = 0;
  Counter sent_bytes_ = 0;
  Counter received_bytes_ = 0;
  std::array<Counter, kEvents> errors_ = {};
  std::array<Counter, kLatencyBuckets> latency_ = {};
  Counter latency_sum_ns_ = 0;
  std::atomic<int64_t> latency_ns_ = 0;
  std::atomic<int64_t> acknowledged_replicas_ = -1;
  Counter short_waits_ = 0;
};

}  // namespace tarn::storage::redis
