#include "storage/locks/lock_table.h"

#include "tests/catch.h"
#include "tests/storage/locks/lock_subject.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using testing::Value;

constexpr const char* kHeld = "FAILED_PRECONDITION LOCK_HELD_BY_ANOTHER";
constexpr const char* kNotHeld = "FAILED_PRECONDITION LOCK_NOT_HELD";
constexpr const char* kInvalid = "INVALID_ARGUMENT INVALID_LOCK";
constexpr const char* kInvalidTtl = "INVALID_ARGUMENT INVALID_TTL";

TEST_CASE("a free lock is granted at once, and refused to others while it is held") {
  LockSubject s;
  const auto granted = s.Ask("a");
  REQUIRE(granted.brief() == "OK");
  CHECK(granted.value().remaining_ms == LockSubject::kTtl);
  CHECK(granted.value().expire_time == LockSubject::kStart + LockSubject::kTtl);
  CHECK_FALSE(granted.value().repeated);
  CHECK(s.Ask("b").brief() == kHeld);
  CHECK(s.Ask("b").status().message() == "the lock lock: a holds it");
}

TEST_CASE("a lock is not reentrant") {
  LockSubject s;
  s.Get("a");
  CHECK(s.Ask("a").brief() == kHeld);
}

TEST_CASE("each grant has a larger token than all before, of any lock") {
  LockSubject s;
  Revision last = 0;
  for (int i = 0; i < 5; ++i) {
    const Revision token = s.Get("a");
    CHECK(token > last);
    last = token;
    CHECK(s.Release(token) == "OK");
  }
  Told<LockGrant> other;
  s.table->Acquire({.name = "other", .holder = "b", .ttl_ms = 1}, other.Callback());
  CHECK(other.value().token > last);
}

TEST_CASE("locks of two namespaces have nothing to do with each other") {
  LockSubject s;
  s.Get("a");
  Told<LockGrant> other;
  s.table->Acquire({.ns = "ns", .name = "lock", .holder = "b", .ttl_ms = 1}, other.Callback());
  CHECK(other.brief() == "OK");
}

TEST_CASE("a release says whether nobody holds the lock, or another does") {
  LockSubject s;
  CHECK(s.Release(7) == kNotHeld);
  const Revision token = s.Get("a");
  CHECK(s.Release(token + 1) == kHeld);
  CHECK(s.Holder() == "a");
  CHECK(s.Release(token) == "OK");
  CHECK(s.Holder() == "-");
  CHECK(s.Release(token) == kNotHeld);
  const Revision later = s.Get("b");
  CHECK(s.Release(token) == kHeld);
  CHECK(s.Release(later) == "OK");
}

TEST_CASE("a lock that is not renewed expires, to the millisecond") {
  LockSubject s;
  const Revision token = s.Get("a");
  s.Pass(LockSubject::kTtl - 1);
  CHECK(s.Holder() == "a");
  CHECK(s.Ask("b").brief() == kHeld);
  s.Pass(1);
  CHECK(s.Holder() == "-");
  CHECK(s.Release(token) == kNotHeld);
  CHECK(s.Renew(token).brief() == kNotHeld);
  CHECK(s.Ask("b").brief() == "OK");
  CHECK(s.table->Stats().expired == 1);
}

TEST_CASE("a lock that has expired is free before anybody has noticed") {
  LockSubject s;
  const Revision token = s.Get("a");
  s.clock.Advance(LockSubject::kTtl);  // No timer has run.
  CHECK(Brief(s.Enter(token).status()) == "FAILED_PRECONDITION FENCED");
  CHECK(s.Renew(token).brief() == kNotHeld);
  CHECK(s.Ask("b").brief() == "OK");
}

TEST_CASE("a renewal moves the deadline and keeps the token") {
  LockSubject s;
  const Revision token = s.Get("a");
  s.Pass(9000);
  const auto renewed = s.Renew(token, 5000);
  REQUIRE(renewed.brief() == "OK");
  CHECK(renewed.value().token == token);
  CHECK(renewed.value().remaining_ms == 5000);
  s.Pass(4999);
  CHECK(s.Holder() == "a");
  CHECK(s.Enter(token).ok());
  s.Pass(1);
  CHECK(s.Holder() == "-");
}

TEST_CASE("a renewal may make the time shorter") {
  LockSubject s;
  const Revision token = s.Get("a");
  REQUIRE(s.Renew(token, 10).brief() == "OK");
  s.Pass(10);
  CHECK(s.Holder() == "-");
}

TEST_CASE("only the present token renews") {
  LockSubject s;
  CHECK(s.Renew(5).brief() == kNotHeld);
  const Revision token = s.Get("a");
  CHECK(s.Renew(token - 1).brief() == kHeld);
  CHECK(s.Renew(token + 1).brief() == kHeld);
}

TEST_CASE("an administrator takes a lock from whoever holds it, or from one holder only") {
  LockSubject s;
  CHECK(s.Force().brief() == kNotHeld);
  const Revision token = s.Get("a");
  CHECK(s.Force(token + 1).brief() == kHeld);
  const auto forced = s.Force();
  REQUIRE(forced.brief() == "OK");
  CHECK(forced.value().holder == "a");
  CHECK(forced.value().token == token);
  CHECK(s.Holder() == "-");
  s.Get("b");
  CHECK(s.Force(token).brief() == kHeld);
  CHECK(s.table->Stats().forced == 1);
}

TEST_CASE("a request with an id is answered again with the same token") {
  LockSubject s;
  const auto first = s.Ask("a", 0, "r1");
  s.Pass(100);
  const auto again = s.Ask("a", 0, "r1");
  REQUIRE(again.brief() == "OK");
  CHECK(again.value().token == first.value().token);
  CHECK(again.value().repeated);
  CHECK(again.value().remaining_ms == LockSubject::kTtl - 100);
  CHECK(s.Ask("a", 0, "r2").brief() == kHeld);
  CHECK(s.Ask("b", 0, "r1").brief() == kHeld);
  s.Pass(LockSubject::kTtl);
  const auto anew = s.Ask("a", 0, "r1");
  CHECK_FALSE(anew.value().repeated);
  CHECK(anew.value().token > first.value().token);
}

TEST_CASE("what no request may hold is refused") {
  LockSubject s;
  const auto asked = [&](const LockRequest& request) {
    Told<LockGrant> told;
    s.table->Acquire(request, told.Callback());
    return told.brief();
  };
  const LockRequest good{.name = "n", .holder = "h", .ttl_ms = 1};
  const auto with = [&](auto change) {
    LockRequest request = good;
    change(request);
    return asked(request);
  };
  const std::string longest(s.limits.max_lock_name_bytes, 'x');
  const std::string too_long = longest + "x";
  CHECK(with([&](auto& r) { r.name = r.holder = r.request_id = longest; }) == "OK");
  CHECK(with([](auto& r) { r.name = ""; }) == kInvalid);
  CHECK(with([&](auto& r) { r.name = too_long; }) == kInvalid);
  CHECK(with([](auto& r) { r.holder = ""; }) == kInvalid);
  CHECK(with([&](auto& r) { r.holder = too_long; }) == kInvalid);
  CHECK(with([&](auto& r) { r.request_id = too_long; }) == kInvalid);
  CHECK(with([](auto& r) { r.wait_ms = -1; }) == kInvalid);
  CHECK(with([](auto& r) { r.ttl_ms = 0; }) == kInvalidTtl);
  CHECK(with([](auto& r) { r.ttl_ms = -1; }) == kInvalidTtl);
  CHECK(with([&](auto& r) { r.ttl_ms = s.limits.max_lock_ttl_ms + 1; }) == kInvalidTtl);
  CHECK(with([&](auto& r) { r.ttl_ms = s.limits.max_lock_ttl_ms; }) == "OK");
  CHECK(with([](auto& r) { r.ns = "No"; }) == "INVALID_ARGUMENT INVALID_NAMESPACE_NAME");
  CHECK(s.Renew(0).brief() == kInvalid);
  CHECK(s.Renew(1, 0).brief() == kInvalidTtl);
  CHECK(s.Release(0) == kInvalid);
  CHECK(Brief(s.Enter(0).status()) == kInvalid);
  CHECK(Brief(s.table->GetLock("", "").status()) == kInvalid);
}

TEST_CASE("there are only so many locks") {
  Limits limits;
  limits.max_locks = 2;
  LockSubject s(limits);
  const auto ask = [&](const std::string& name) {
    Told<LockGrant> told;
    s.table->Acquire({.name = name, .holder = "h", .ttl_ms = 1000}, told.Callback());
    return told;
  };
  const auto first = ask("1");
  CHECK(ask("2").brief() == "OK");
  CHECK(ask("3").brief() == "RESOURCE_EXHAUSTED TOO_MANY_LOCKS");
  s.table->Release("", "1", first.value().token, [](const absl::Status&) {});
  CHECK(ask("3").brief() == "OK");
  s.Pass(1000);
  CHECK(ask("4").brief() == "OK");
}

TEST_CASE("locks are listed by name, in pages, with whoever holds and waits") {
  LockSubject s;
  for (const char* name : {"d", "a", "c", "b"}) {
    Told<LockGrant> told;
    s.table->Acquire({.name = name, .holder = std::string("h-") + name, .ttl_ms = 1000},
                     told.Callback());
  }
  Told<LockGrant> waits;
  s.table->Acquire({.name = "b", .holder = "w", .ttl_ms = 1, .wait_ms = 5}, waits.Callback());
  const auto names = [&](absl::string_view after, size_t max) {
    std::string all;
    for (const LockInfo& info : Value(s.table->ListLocks("", after, max)))
      all += info.name + "=" + info.holder + "+" + std::to_string(info.queue_length) + " ";
    return all;
  };
  CHECK(names("", 10) == "a=h-a+0 b=h-b+1 c=h-c+0 d=h-d+0 ");
  CHECK(names("", 2) == "a=h-a+0 b=h-b+1 ");
  CHECK(names("b", 10) == "c=h-c+0 d=h-d+0 ");
  CHECK(Value(s.table->ListLocks("other", "", 10)).empty());
  CHECK(Brief(s.table->ListLocks("No", "", 1)) == "INVALID_ARGUMENT INVALID_NAMESPACE_NAME");
  const LockStats stats = s.table->Stats();
  CHECK(stats.held == 4);
  CHECK(stats.waiting == 1);
  CHECK(stats.acquired == 4);
}

}  // namespace
}  // namespace tarn::storage
