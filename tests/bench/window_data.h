// Entries as a window operator keeps them: what checkpoints are measured on.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/bench/data_set.h"

namespace tarn::bench {

// Keys of 16 bytes (a key's number, the start of its window), values of 128 (an encoded
// aggregate). The same bytes at every run and on every machine, which their SHA-256 proves: a
// different generator would make other ratios of compression. Immutable.
class WindowData {
 public:
  // The smallest number of entries whose bytes are pinned.
  static constexpr size_t kMinEntries = 10'000;

  // Ends the program when what it makes is not what is pinned.
  explicit WindowData(size_t entries);

  size_t size() const { return bytes_.size() / (kKeyBytes + kValueBytes); }
  absl::string_view key(size_t i) const { return {entry(i), kKeyBytes}; }
  absl::string_view value(size_t i) const { return {entry(i) + kKeyBytes, kValueBytes}; }
  // Of all keys and values.
  size_t data_bytes() const { return bytes_.size(); }

 private:
  const char* entry(size_t i) const { return bytes_.data() + i * (kKeyBytes + kValueBytes); }
  void CheckPins() const;

  std::string bytes_;
};

}  // namespace tarn::bench
