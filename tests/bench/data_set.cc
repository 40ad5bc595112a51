#include "tests/bench/data_set.h"

#include <algorithm>
#include <cstring>

namespace tarn::bench {

DataSet::DataSet(size_t entries) : keys_(entries * kKeyBytes, '\0') {
  SplitMix random(8276);
  const auto fill = [&random](char* target, size_t bytes) {
    for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
      const uint64_t number = random.Next();
      std::memcpy(target + i, &number, sizeof(number));
    }
  };
  fill(keys_.data(), keys_.size());
  shuffled_ = keys_;
  for (size_t left = entries; left > 1; --left) {
    std::swap_ranges(&shuffled_[(left - 1) * kKeyBytes],
                     &shuffled_[(left - 1) * kKeyBytes] + kKeyBytes,
                     &shuffled_[random.Below(left) * kKeyBytes]);
  }
  value_.resize(kValueBytes);
  fill(value_.data(), value_.size());
}

}  // namespace tarn::bench
