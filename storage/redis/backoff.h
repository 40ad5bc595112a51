// How long to wait before the next attempt.
#pragma once

#include <cstdint>
#include <optional>

#include "storage/base/random.h"

namespace tarn::storage::redis {

struct BackoffOptions {
  int64_t base_ms = 100;  // The first wait is up to this.
  int64_t cap_ms = 5000;  // Each next one up to twice the one before, but never more than this.
  int retries = 3;        // Attempts after the first.
};

// Of one request. With full jitter: a wait is anything from 0 to its bound, so that those who
// failed together do not come back together. Not thread-safe.
class Backoff {
 public:
  Backoff(const BackoffOptions& options, base::RandomSource& random)
      : options_(options), random_(random) {}

  // Milliseconds to wait; nothing when there is no attempt left, or no time: the wait is always
  // shorter than `remaining_ms`, what is left until the caller's deadline.
  std::optional<int64_t> NextMs(int64_t remaining_ms);

  // How many waits have been given out.
  int retries() const { return retries_; }

 private:
  int64_t BoundMs() const;

  const BackoffOptions options_;
  base::RandomSource& random_;
  int retries_ = 0;
};

}  // namespace tarn::storage::redis
