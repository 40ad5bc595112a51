#include "storage/redis/key_routes.h"

#include "tests/catch.h"

namespace tarn::storage::redis {
namespace {

TEST_CASE("a key that is not in flight goes where it is preferred") {
  KeyRoutes routes;
  CHECK(routes.Acquire({1}, 10) == 10);
  CHECK(routes.Acquire({2}, 20) == 20);
  CHECK(routes.size() == 2);
}

TEST_CASE("a key that is in flight stays on its connection until nothing of it is") {
  KeyRoutes routes;
  CHECK(routes.Acquire({1}, 10) == 10);
  CHECK(routes.Acquire({1}, 20) == 10);
  routes.Release({1});
  CHECK(routes.Acquire({1}, 20) == 10);
  routes.Release({1});
  routes.Release({1});
  CHECK(routes.size() == 0);
  CHECK(routes.Acquire({1}, 20) == 20);
}

TEST_CASE("a batch goes where some of its keys are in flight and binds the others") {
  KeyRoutes routes;
  CHECK(routes.Acquire({1}, 10) == 10);
  CHECK(routes.Acquire({1, 2, 3}, 20) == 10);
  CHECK(routes.Acquire({3}, 20) == 10);
}

TEST_CASE("a batch whose keys are in flight on several connections waits and counts nothing") {
  KeyRoutes routes;
  CHECK(routes.Acquire({1}, 10) == 10);
  CHECK(routes.Acquire({2}, 20) == 20);
  CHECK(!routes.Acquire({3, 1, 2}, 10));
  CHECK(routes.size() == 2);
  routes.Release({2});
  CHECK(routes.Acquire({3, 1, 2}, 20) == 10);
}

TEST_CASE("a key that a batch names twice is released as often") {
  KeyRoutes routes;
  CHECK(routes.Acquire({1, 1}, 10) == 10);
  routes.Release({1, 1});
  CHECK(routes.size() == 0);
}

}  // namespace
}  // namespace tarn::storage::redis
