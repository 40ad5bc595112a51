// Counts of durations, for percentiles.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace tarn::bench {

// Exact below 64 ns, then to within 1/32. Not thread-safe.
class Histogram {
 public:
  void Add(uint64_t nanos) {
    ++counts_[BucketOf(nanos)];
    ++total_;
    if (nanos > max_) max_ = nanos;
  }

  uint64_t count() const { return total_; }
  double max_us() const { return static_cast<double>(max_) / 1e3; }

  // The duration that so great a part of all stays at or below.
  double PercentileUs(double part) const {
    const auto wanted = static_cast<uint64_t>(static_cast<double>(total_) * part);
    uint64_t seen = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > wanted) return static_cast<double>(UpperBound(i)) / 1e3;
    }
    return max_us();
  }

 private:
  static constexpr int kBits = 5;
  static constexpr size_t kSteps = size_t{1} << kBits;

  static size_t BucketOf(uint64_t nanos) {
    if (nanos < 2 * kSteps) return nanos;
    const int shift = std::bit_width(nanos) - kBits - 1;
    return static_cast<size_t>(shift) * kSteps + (nanos >> shift);
  }
  static uint64_t UpperBound(size_t bucket) {
    if (bucket < 2 * kSteps) return bucket;
    const size_t shift = bucket / kSteps - 1;
    return ((bucket % kSteps + kSteps + 1) << shift) - 1;
  }

  std::array<uint64_t, 64 * kSteps> counts_{};
  uint64_t total_ = 0;
  uint64_t max_ = 0;
};

}  // namespace tarn::bench
