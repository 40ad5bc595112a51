// The entries that every benchmark works on: keys of 16 bytes, values of 128.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tarn::bench {

inline constexpr size_t kKeyBytes = 16;
inline constexpr size_t kValueBytes = 128;

class WindowData;

// Pseudo-random numbers that cost next to nothing (Steele, Lea and Flood, "Fast splittable
// pseudorandom number generators", 2014).
class SplitMix {
 public:
  explicit SplitMix(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  size_t Below(size_t bound) {
    return static_cast<size_t>((static_cast<unsigned __int128>(Next()) * bound) >> 64);
  }

 private:
  uint64_t state_;
};

// The same keys in the same order at every run. Immutable, so any thread may read it.
class DataSet {
 public:
  explicit DataSet(size_t entries);
  // With these keys and values, which must outlive it.
  explicit DataSet(const WindowData& windows);

  size_t size() const { return keys_.size() / kKeyBytes; }
  // In the order of loading.
  absl::string_view key(size_t i) const { return {keys_.data() + i * kKeyBytes, kKeyBytes}; }
  // In an order of its own, for access: reading keys one after the other costs next to nothing, as
  // with keys that a request has just brought, while the entries are met at random places. Wraps
  // around.
  absl::string_view shuffled_key(size_t i) const {
    return {shuffled_.data() + (i % size()) * kKeyBytes, kKeyBytes};
  }
  // For the i-th write. Wraps around.
  absl::string_view value(size_t i = 0) const;

 private:
  void Shuffle(SplitMix& random);

  std::string keys_;
  std::string shuffled_;
  const WindowData* windows_ = nullptr;
  std::string value_;  // The only one when there are no windows.
};

}  // namespace tarn::bench
