#include "storage/rocksdb/key_samples.h"

#include <algorithm>

namespace tarn::storage::rocks {

void KeySamples::Note(absl::string_view entry_key, uint64_t bytes) {
  unsampled_bytes_ += bytes;
  if (unsampled_bytes_ < kBytesEach) return;
  const uint64_t count = unsampled_bytes_ / kBytesEach;  // More than one for a large value.
  unsampled_bytes_ %= kBytesEach;
  absl::MutexLock lock(&mutex_);
  for (uint64_t i = 0; i < count; ++i) {
    if (keys_.size() == kMaxSamples) keys_.pop_front();
    keys_.emplace_back(entry_key);
  }
}

std::vector<std::string> KeySamples::Newest(uint64_t bytes) const {
  std::vector<std::string> newest;
  {
    absl::MutexLock lock(&mutex_);
    const auto count = std::min<uint64_t>(keys_.size(), bytes / kBytesEach);
    newest.assign(keys_.end() - static_cast<std::ptrdiff_t>(count), keys_.end());
  }
  std::sort(newest.begin(), newest.end());
  return newest;
}

}  // namespace tarn::storage::rocks
