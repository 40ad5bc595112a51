#include "storage/redis/backoff.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "tests/catch.h"

namespace tarn::storage::redis {
namespace {

// Gives the same number always.
class FixedRandom final : public base::RandomSource {
 public:
  explicit FixedRandom(uint64_t number) : number_(number) {}
  uint64_t Next() override { return number_; }

 private:
  const uint64_t number_;
};

class SeededRandom final : public base::RandomSource {
 public:
  uint64_t Next() override { return engine_(); }

 private:
  std::mt19937_64 engine_{testing::Seed()};
};

constexpr int64_t kLong = 1'000'000'000;

// The largest wait that each attempt may get: what the jitter leaves when it leaves everything.
std::vector<int64_t> Bounds(const BackoffOptions& options) {
  std::vector<int64_t> bounds;
  SeededRandom random;
  for (int attempt = 0; attempt < options.retries; ++attempt) {
    int64_t largest = 0;
    for (int round = 0; round < 20'000; ++round) {
      Backoff backoff(options, random);
      for (int skipped = 0; skipped < attempt; ++skipped) backoff.NextMs(kLong);
      largest = std::max(largest, *backoff.NextMs(kLong));
    }
    bounds.push_back(largest);
  }
  return bounds;
}

TEST_CASE("there are three retries and no more") {
  FixedRandom random(0);
  Backoff backoff({}, random);
  for (int retry = 1; retry <= 3; ++retry) {
    CHECK(backoff.NextMs(kLong).has_value());
    CHECK(backoff.retries() == retry);
  }
  CHECK(!backoff.NextMs(kLong));
  CHECK(backoff.retries() == 3);
}

TEST_CASE("waits double up to their cap") {
  const std::vector<int64_t> bounds = Bounds({.base_ms = 4, .cap_ms = 20, .retries = 5});
  CHECK(bounds == std::vector<int64_t>{4, 8, 16, 20, 20});
}

TEST_CASE("a wait is anything from nothing to its bound") {
  SeededRandom random;
  std::vector<int> seen(101, 0);
  for (int i = 0; i < 20'000; ++i) {
    Backoff backoff({}, random);
    ++seen[static_cast<size_t>(*backoff.NextMs(kLong))];
  }
  for (const int count : seen) CHECK(count > 0);
}

TEST_CASE("a wait ends before the caller's deadline") {
  SeededRandom random;
  for (int64_t remaining = 1; remaining < 50; ++remaining) {
    for (int i = 0; i < 100; ++i) {
      Backoff backoff({}, random);
      const std::optional<int64_t> wait = backoff.NextMs(remaining);
      REQUIRE(wait.has_value());
      CHECK(*wait < remaining);
    }
  }
}

TEST_CASE("after the deadline there is no retry") {
  FixedRandom random(0);
  Backoff backoff({}, random);
  CHECK(!backoff.NextMs(0));
  CHECK(!backoff.NextMs(-1));
  CHECK(backoff.retries() == 0);
}

TEST_CASE("many retries do not overflow the wait") {
  FixedRandom random(std::numeric_limits<uint64_t>::max());
  Backoff backoff({.base_ms = 100, .cap_ms = kLong, .retries = 200}, random);
  for (int i = 0; i < 200; ++i) {
    const std::optional<int64_t> wait = backoff.NextMs(std::numeric_limits<int64_t>::max());
    REQUIRE(wait.has_value());
    CHECK((*wait >= 0 && *wait <= kLong));
  }
}

}  // namespace
}  // namespace tarn::storage::redis
