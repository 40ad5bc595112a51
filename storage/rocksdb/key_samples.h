// Which keys were written last, roughly: RocksDB's own estimate of what is where in memory is off
// by a factor of two and more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace tarn::storage::rocks {

// Remembers one key of so many bytes written.
class KeySamples {
 public:
  static constexpr uint64_t kBytesEach = 64 << 10;
  // What RocksDB adds to each entry that it holds in memory, about.
  static constexpr uint64_t kOverheadBytes = 40;
  // Those of the largest write buffers.
  static constexpr size_t kMaxSamples = 4096;

  // The writer's thread only: an entry is written that takes so many bytes in memory.
  void Note(absl::string_view entry_key, uint64_t bytes);

  // Of the newest so many bytes, in the order of keys. Thread-safe.
  std::vector<std::string> Newest(uint64_t bytes) const;

 private:
  uint64_t unsampled_bytes_ = 0;
  mutable absl::Mutex mutex_;
  std::deque<std::string> keys_ ABSL_GUARDED_BY(mutex_);  // The oldest first.
};

}  // namespace tarn::storage::rocks
