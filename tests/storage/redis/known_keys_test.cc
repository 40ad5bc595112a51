// Which keys are known to exist.
#include "storage/redis/known_keys.h"

#include "tests/catch.h"

namespace tarn::storage::redis {
namespace {

constexpr uint64_t HashOf(uint64_t i) { return (i + 1) * 0x9E3779B97F4A7C15; }

TEST_CASE("a key is known from its insertion to its removal") {
  KnownKeys known(64);
  CHECK_FALSE(known.Contains(HashOf(1)));
  known.Insert(HashOf(1));
  known.Insert(HashOf(1));
  CHECK(known.Contains(HashOf(1)));
  known.Erase(HashOf(1));
  CHECK_FALSE(known.Contains(HashOf(1)));
}

TEST_CASE("what has no room is forgotten, and nothing is known that was not inserted") {
  KnownKeys known(64);
  for (uint64_t i = 0; i < 1000; ++i) known.Insert(HashOf(i));
  int kept = 0;
  for (uint64_t i = 0; i < 1000; ++i) kept += known.Contains(HashOf(i)) ? 1 : 0;
  CHECK(kept > 32);
  CHECK(kept <= 64);
  for (uint64_t i = 1000; i < 2000; ++i) REQUIRE_FALSE(known.Contains(HashOf(i)));
}

TEST_CASE("after a clearing nothing is known, and a hash of 0 never is") {
  KnownKeys known(64);
  known.Insert(HashOf(1));
  known.Insert(0);
  CHECK_FALSE(known.Contains(0));
  known.Clear();
  CHECK_FALSE(known.Contains(HashOf(1)));
}

}  // namespace
}  // namespace tarn::storage::redis
