#include "tests/bench/data_set.h"

#include <algorithm>
#include <cstring>

#include "tests/bench/window_data.h"

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
  Shuffle(random);
  value_.resize(kValueBytes);
  fill(value_.data(), value_.size());
}

DataSet::DataSet(const WindowData& windows) : windows_(&windows) {
  for (size_t i = 0; i < windows.size(); ++i) keys_.append(windows.key(i).data(), kKeyBytes);
  SplitMix random(8276);
  Shuffle(random);
}

void DataSet::Shuffle(SplitMix& random) {
  shuffled_ = keys_;
  for (size_t left = size(); left > 1; --left) {
    std::swap_ranges(&shuffled_[(left - 1) * kKeyBytes],
                     &shuffled_[(left - 1) * kKeyBytes] + kKeyBytes,
                     &shuffled_[random.Below(left) * kKeyBytes]);
  }
}

absl::string_view DataSet::value(size_t i) const {
  return windows_ == nullptr ? absl::string_view(value_) : windows_->value(i % windows_->size());
}

}  // namespace tarn::bench
