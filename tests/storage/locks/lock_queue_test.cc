// Those who wait.
#include "storage/locks/lock_table.h"
#include "tests/catch.h"
#include "tests/storage/locks/lock_subject.h"

namespace tarn::storage {
namespace {

constexpr const char* kHeld = "FAILED_PRECONDITION LOCK_HELD_BY_ANOTHER";

TEST_CASE("whoever waits is served in the order of arrival") {
  LockSubject s;
  const Revision first = s.Get("a");
  auto b = s.Ask("b", 1000);
  auto c = s.Ask("c", 1000);
  CHECK(b.brief() == "-");
  CHECK(s.Release(first) == "OK");
  REQUIRE(b.brief() == "OK");
  CHECK(b.value().token > first);
  CHECK(c.brief() == "-");
  CHECK(s.Release(b.value().token) == "OK");
  CHECK(c.brief() == "OK");
}

TEST_CASE("a request that does not wait does not overtake those who do") {
  LockSubject s;
  const Revision first = s.Get("a");
  auto b = s.Ask("b", 1000);
  CHECK(s.Ask("c").brief() == kHeld);
  s.Release(first);
  CHECK(s.Holder() == "b");
}

TEST_CASE("a wait ends when its time is over, and leaves no ghost") {
  LockSubject s;
  const Revision first = s.Get("a");
  auto b = s.Ask("b", 500);
  auto c = s.Ask("c", 5000);
  s.Pass(499);
  CHECK(b.brief() == "-");
  s.Pass(1);
  CHECK(b.brief() == kHeld);
  CHECK(s.table->Stats().timed_out == 1);
  s.Release(first);
  CHECK(c.brief() == "OK");
  CHECK(s.Release(c.value().token) == "OK");
  CHECK(s.Holder() == "-");
  CHECK(s.table->Stats().waiting == 0);
}

TEST_CASE("the TTL counts from the grant and not from the request") {
  LockSubject s;
  s.Get("a");
  auto b = s.Ask("b", 60'000);
  s.Pass(LockSubject::kTtl);
  REQUIRE(b.brief() == "OK");
  CHECK(b.value().remaining_ms == LockSubject::kTtl);
}

TEST_CASE("what is taken back leaves the queue") {
  LockSubject s;
  const Revision first = s.Get("a");
  auto b = s.Ask("b", 1000, "", 11);
  auto c = s.Ask("c", 1000, "", 12);
  s.table->TakeBack("", "lock", 11);
  CHECK(b.brief() == "CANCELLED");
  s.table->TakeBack("", "lock", 11);  // Once more, in vain.
  s.table->TakeBack("", "other", 12);
  s.Release(first);
  CHECK(c.brief() == "OK");
  CHECK(s.table->Stats().given_up == 1);
}

TEST_CASE("a lock whose caller has gone while it was granted is released at once") {
  LockSubject s;
  s.engine->Hold(IsSystemWrite);
  auto a = s.Ask("a", 0, "r", 11);
  auto b = s.Ask("b", 1000);
  s.table->TakeBack("", "lock", 11);
  CHECK(a.brief() == "CANCELLED");
  CHECK(b.brief() == "-");
  s.engine->Release();
  CHECK(b.brief() == "OK");
  CHECK(s.Holder() == "b");
}

TEST_CASE("a repeated request takes its own place in the queue") {
  LockSubject s;
  const Revision first = s.Get("a");
  auto b = s.Ask("b", 1000, "r", 11);
  auto c = s.Ask("c", 1000);
  auto b2 = s.Ask("b", 1000, "r", 13);
  CHECK(b.brief() == "CANCELLED");
  s.table->TakeBack("", "lock", 11);  // The connection of the first one has broken.
  CHECK(b2.brief() == "-");
  s.Release(first);
  CHECK(b2.brief() == "OK");
  CHECK(c.brief() == "-");
}

TEST_CASE("a repeated request may be taken back too") {
  LockSubject s;
  s.Get("a");
  auto b = s.Ask("b", 1000, "r", 11);
  auto b2 = s.Ask("b", 1000, "r", 13);
  s.table->TakeBack("", "lock", 13);
  CHECK(b2.brief() == "CANCELLED");
  CHECK(s.table->Stats().waiting == 0);
}

TEST_CASE("a repeated request is given the lock that is just being granted to it") {
  LockSubject s;
  s.engine->Hold(IsSystemWrite);
  auto a = s.Ask("a", 0, "r", 11);
  auto again = s.Ask("a", 0, "r", 12);
  CHECK(a.brief() == "CANCELLED");
  s.engine->Release();
  REQUIRE(again.brief() == "OK");
  CHECK(s.table->Stats().acquired == 1);
}

TEST_CASE("a grant that is over before it can be answered is not answered as one") {
  LockSubject s;
  s.engine->Hold(IsSystemWrite);
  auto a = s.Ask("a");
  s.clock.Advance(LockSubject::kTtl);
  s.engine->Release();
  CHECK(a.brief() == "FAILED_PRECONDITION LOCK_NOT_HELD");
  CHECK(s.Holder() == "-");
}

TEST_CASE("a renewal that is over before it can be answered is not answered as one") {
  LockSubject s;
  const Revision token = s.Get("a");
  s.engine->Hold(IsSystemWrite);
  auto renewed = s.Renew(token, 100);
  s.clock.Advance(100);
  s.engine->Release();
  CHECK(renewed.brief() == "FAILED_PRECONDITION LOCK_NOT_HELD");
}

TEST_CASE("a lock that expires goes to the next one, and so on") {
  LockSubject s;
  s.Get("a");
  auto b = s.Ask("b", 60'000);
  auto c = s.Ask("c", 60'000);
  s.Pass(LockSubject::kTtl);
  CHECK(b.brief() == "OK");
  s.Pass(LockSubject::kTtl);
  CHECK(c.brief() == "OK");
  CHECK(s.table->Stats().expired == 2);
}

TEST_CASE("queues are bounded, each and all together") {
  Limits limits;
  limits.max_lock_queue = 2;
  limits.max_lock_waiters = 3;
  LockSubject s(limits);
  s.Get("a");
  auto b = s.Ask("b", 1000);
  auto c = s.Ask("c", 1000);
  CHECK(s.Ask("d", 1000).brief() == "RESOURCE_EXHAUSTED LOCK_QUEUE_FULL");
  const auto ask_other = [&] {
    Told<LockGrant> told;
    s.table->Acquire({.name = "other", .holder = "h", .ttl_ms = 1000, .wait_ms = 1000},
                     told.Callback());
    return told;
  };
  CHECK(ask_other().brief() == "OK");
  CHECK(ask_other().brief() == "-");
  CHECK(ask_other().brief() == "RESOURCE_EXHAUSTED LOCK_QUEUE_FULL");
  s.Pass(1000);  // They have gone.
  CHECK(s.Ask("d", 1000).brief() == "-");
}

TEST_CASE("a server that stops ends the waiting, and takes no more requests") {
  LockSubject s;
  s.Get("a");
  auto b = s.Ask("b", 1000);
  s.table->EndWaiting(absl::UnavailableError("draining"));
  CHECK(b.brief() == "UNAVAILABLE");
  CHECK(s.Ask("c", 1000).brief() == "UNAVAILABLE");
  CHECK(s.Holder() == "a");
}

TEST_CASE("a store that is closed answers everybody") {
  LockSubject s;
  s.Get("a");
  auto b = s.Ask("b", 1000);
  s.table.reset();
  CHECK(b.brief() == "UNAVAILABLE NOT_READY");
}

TEST_CASE("a long queue is served without deep recursion") {
  LockSubject s;
  constexpr int kWaiters = 10'000;
  Revision last = s.Get("first");
  std::vector<Told<LockGrant>> all;
  for (int i = 0; i < kWaiters; ++i) all.push_back(s.Ask("h", 1'000'000, std::to_string(i)));
  CHECK(s.table->Stats().waiting == kWaiters);
  bool rising = true;
  for (Told<LockGrant>& one : all) {
    s.Release(last);
    rising = rising && one.given() && one.value().token > last;
    last = one.value().token;
  }
  CHECK(rising);
}

TEST_CASE("a long queue that gives up is gone") {
  LockSubject s;
  const Revision first = s.Get("first");
  std::vector<Told<LockGrant>> all;
  for (WaitId i = 1; i <= 10'000; ++i) all.push_back(s.Ask("h", 1'000'000, "", i));
  for (WaitId i = 1; i <= 10'000; ++i) s.table->TakeBack("", "lock", i);
  CHECK(s.table->Stats().waiting == 0);
  s.Release(first);
  CHECK(s.Holder() == "-");
}

}  // namespace
}  // namespace tarn::storage
