// The public fake's locks and groups, and the writes that they fence.
#include "tarn/testing/fake_lock_connection.h"

#include <future>

#include "tarn/error.h"
#include "tarn/pipeline.h"
#include "tarn/testing/fake_connection.h"
#include "tests/catch.h"

namespace tarn::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct World {
  std::shared_ptr<FakeStore> store = std::make_shared<FakeStore>();
  Client client{std::make_shared<FakeConnection>(store)};
  LockClient locks{std::make_shared<FakeLockConnection>(store)};

  Client Under(Revision token) const { return Fenced(client, {.lock = "l", .token = token}); }
  Client InEpoch(Revision epoch) const { return Fenced(client, {.group = "g", .epoch = epoch}); }
};

bool IsFenced(const absl::Status& status) { return ReasonOf(status) == Reason::kFenced; }

TEST_CASE("a fake lock is held by one, and its tokens rise") {
  World w;
  const auto first = w.locks.Acquire("l", {.ttl = seconds(10), .holder = "a"});
  REQUIRE(first.ok());
  CHECK(ReasonOf(w.locks.Acquire("l", {.wait = kNoTimeout, .holder = "b"}).status()) ==
        Reason::kLockHeldByAnother);
  CHECK(w.locks.Get("l")->holder == "a");
  CHECK(w.locks.List()->size() == 1);
  CHECK(w.locks.WithNamespace("other").List()->empty());
  REQUIRE(w.locks.Release("l", first->token).ok());
  CHECK(ReasonOf(w.locks.Release("l", first->token)) == Reason::kLockNotHeld);
  CHECK_FALSE(w.locks.Get("l")->held);
  CHECK(w.locks.Acquire("l", {.holder = "b"})->token > first->token);
}

TEST_CASE("a fake lock ends by the store's time, unless it is renewed") {
  World w;
  const Revision token = w.locks.Acquire("l", {.ttl = seconds(10)})->token;
  w.store->AdvanceTime(milliseconds(9'999));
  CHECK(w.locks.Get("l")->remaining == milliseconds(1));
  CHECK(w.locks.Renew("l", token, seconds(20))->remaining == seconds(20));
  w.store->AdvanceTime(seconds(20));
  CHECK(ReasonOf(w.locks.Renew("l", token, seconds(20)).status()) == Reason::kLockNotHeld);
  CHECK(w.locks.Acquire("l")->token > token);
  CHECK(ReasonOf(w.locks.Renew("l", token, seconds(20)).status()) == Reason::kLockHeldByAnother);
}

TEST_CASE("a repeated request is given the same fake lock") {
  World w;
  FakeLockConnection connection(w.store);
  const AcquireLockParams params{"", "l", {.holder = "a"}, "id"};
  w.store->FailNext("AcquireLock", absl::UnavailableError("lost"), FaultTime::kAfter);
  CHECK(absl::IsUnavailable(connection.Acquire(params).status()));
  const auto again = connection.Acquire(params);
  REQUIRE(again.ok());
  CHECK(again->repeated);
  CHECK_FALSE(connection.Acquire({"", "l", {.holder = "a"}, "other"}).ok());
}

TEST_CASE("what no request for a fake lock may hold is refused") {
  World w;
  CHECK(ReasonOf(w.locks.Acquire("").status()) == Reason::kInvalidLock);
  CHECK(ReasonOf(w.locks.Acquire("l", {.ttl = milliseconds(0)}).status()) == Reason::kInvalidTtl);
  CHECK(ReasonOf(w.locks.Acquire("l", {.ttl = std::chrono::hours(2)}).status()) ==
        Reason::kInvalidTtl);
  CHECK(ReasonOf(w.locks.Release("l", 0)) == Reason::kInvalidLock);
  CHECK(ReasonOf(w.locks.JoinGroup("g", "").status()) == Reason::kInvalidLock);
}

TEST_CASE("every write to a fake store lands only under the token of its fence") {
  World w;
  const Revision token = w.locks.Acquire("l")->token;
  const Client mine = w.Under(token);
  CHECK(mine.Put("k", "1").ok());
  CHECK(mine.OpenPipeline().Add(Operation::Put("k", "1")).get().ok());
  CHECK(w.locks.ForceRelease("l")->token == token);
  CHECK(IsFenced(mine.Put("k", "2").status()));
  CHECK(IsFenced(mine.Delete("k").status()));
  CHECK(IsFenced(mine.Take("k").status()));
  CHECK(IsFenced(mine.Increment("n", 1).status()));
  CHECK(IsFenced(mine.Append("k", "2").status()));
  CHECK(IsFenced(mine.Touch("k", Ttl::Never()).status()));
  CHECK(IsFenced(mine.RunBatch(Batch::Atomic().Put("k", "2")).status()));
  CHECK(IsFenced(mine.DeleteAll().status()));
  Pipeline pipeline = mine.OpenPipeline();
  CHECK(IsFenced(pipeline.Add(Operation::Put("k", "2")).get().status()));
  CHECK(IsFenced(pipeline.Add(Batch::Atomic().Put("k", "2")).get().status()));
  CHECK(mine.Get("k")->value == "1");
  CHECK(w.client.Put("k", "3").ok());
}

TEST_CASE(
    "a fake lock that has run out lets no write through, and neither does another namespace's") {
  World w;
  const Revision token = w.locks.Acquire("l", {.ttl = seconds(10)})->token;
  CHECK(IsFenced(w.Under(token).WithNamespace("other").Put("k", "1").status()));
  w.store->AdvanceTime(seconds(10));
  CHECK(IsFenced(w.Under(token).Put("k", "1").status()));
}

TEST_CASE("each who joins a fake group fences those before") {
  World w;
  const Revision first = *w.locks.JoinGroup("g", "a");
  CHECK(w.InEpoch(first).Put("k", "1").ok());
  const Revision second = *w.locks.JoinGroup("g", "b");
  CHECK(second > first);
  CHECK(IsFenced(w.InEpoch(first).Put("k", "2").status()));
  CHECK(w.InEpoch(second).Put("k", "2").ok());
  CHECK((*w.locks.GetGroup("g"))->member == "b");
  CHECK(w.locks.ListGroups()->size() == 1);
  CHECK(*w.locks.DeleteGroup("g"));
  CHECK_FALSE(*w.locks.DeleteGroup("g"));
  CHECK_FALSE(w.locks.GetGroup("g")->has_value());
  CHECK(IsFenced(w.InEpoch(second).Put("k", "3").status()));
}

TEST_CASE("a guard holds a fake lock, and learns that it is lost") {
  World w;
  std::promise<absl::Status> lost;
  auto guard = w.locks.Lock("l", {.ttl = milliseconds(30)},
                            [&](const absl::Status& why) { lost.set_value(why); });
  REQUIRE(guard.ok());
  CHECK(guard->Fenced(w.client).Put("k", "1").ok());
  REQUIRE(w.locks.ForceRelease("l").ok());
  CHECK(ReasonOf(lost.get_future().get()) == Reason::kLockNotHeld);
  CHECK(IsFenced(guard->Fenced(w.client).Put("k", "2").status()));
}

}  // namespace
}  // namespace tarn::testing
