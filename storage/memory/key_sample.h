// A fair choice among keys that come one after the other, of which nobody knows how many.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tarn::storage::memory {

// Takes every n-th key, where n doubles whenever there are too many. Not thread-safe.
class KeySample {
 public:
  // Asked once for each key; then Add it if so.
  bool WantsNext() { return seen_++ % stride_ == 0; }

  void Add(absl::string_view key) {
    keys_.emplace_back(key);
    if (keys_.size() == kMaxKeys) Thin();
  }

  const std::vector<std::string>& keys() const { return keys_; }

 private:
  static constexpr size_t kMaxKeys = 1024;

  void Thin() {
    for (size_t i = 1; i < kMaxKeys / 2; ++i) keys_[i] = std::move(keys_[2 * i]);
    keys_.resize(kMaxKeys / 2);
    stride_ *= 2;
  }

  size_t stride_ = 1;
  size_t seen_ = 0;
  std::vector<std::string> keys_;
};

}  // namespace tarn::storage::memory
