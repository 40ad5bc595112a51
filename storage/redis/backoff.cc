#include "storage/redis/backoff.h"

#include <algorithm>

namespace tarn::storage::redis {

int64_t Backoff::BoundMs() const {
  int64_t bound = options_.base_ms;
  for (int i = 0; i < retries_ && bound < options_.cap_ms; ++i) bound *= 2;
  return std::min(bound, options_.cap_ms);
}

std::optional<int64_t> Backoff::NextMs(int64_t remaining_ms) {
  if (retries_ >= options_.retries || remaining_ms <= 0) return std::nullopt;
  const int64_t bound = std::min(BoundMs(), remaining_ms - 1);
  ++retries_;
  return static_cast<int64_t>(random_.Next() % (static_cast<uint64_t>(bound) + 1));
}

}  // namespace tarn::storage::redis
