#include "storage/redis/key_lines.h"

#include <vector>

#include "tests/catch.h"

namespace tarn::storage::redis {
namespace {

using State = LineMember::State;
using Out = std::vector<LineMember*>;

LineMember One(uint64_t key) {
  LineMember member;
  member.keys = {key};
  return member;
}

LineMember Script(const std::vector<uint64_t>& keys) {
  LineMember member;
  member.keys.assign(keys.begin(), keys.end());
  member.several = true;
  return member;
}

TEST_CASE("commands of one key go out behind each other") {
  KeyLines lines;
  LineMember first = One(1);
  LineMember second = One(1);
  CHECK(lines.Enter(first));
  CHECK(lines.Enter(second));
  CHECK(lines.Leave(first).empty());
  CHECK(lines.Leave(second).empty());
  CHECK(lines.size() == 0);
}

TEST_CASE("scripts of one key go out behind each other, others behind them wait") {
  KeyLines lines;
  LineMember first = Script({1});
  LineMember second = Script({1});
  LineMember plain = One(1);
  LineMember other = One(2);
  CHECK(lines.Enter(first));
  CHECK(lines.Enter(second));
  CHECK_FALSE(lines.Enter(plain));
  CHECK(lines.Enter(other));
  CHECK(lines.Leave(first).empty());
  CHECK(lines.Leave(second) == Out{&plain});
  CHECK(plain.state == State::kHome);
}

TEST_CASE("a script behind a plain command need not wait") {
  KeyLines lines;
  LineMember plain = One(1);
  LineMember script = Script({1, 2});
  CHECK(lines.Enter(plain));
  CHECK(lines.Enter(script));
}

TEST_CASE("scripts of several keys wait for each other") {
  KeyLines lines;
  LineMember wide = Script({1, 2});
  LineMember narrow = Script({2});
  LineMember wider = Script({2, 3});
  CHECK(lines.Enter(wide));
  CHECK_FALSE(lines.Enter(narrow));
  CHECK_FALSE(lines.Enter(wider));
  CHECK(lines.Leave(wide) == Out{&narrow});
  CHECK(lines.Leave(narrow) == Out{&wider});
}

TEST_CASE("nothing passes a command that is away") {
  KeyLines lines;
  LineMember first = One(1);
  LineMember second = One(1);
  CHECK(lines.Enter(first));
  CHECK(lines.SendAway(first));
  CHECK_FALSE(lines.Enter(second));
  CHECK(lines.Leave(first) == Out{&second});
  CHECK(second.state == State::kHome);
}

TEST_CASE("commands that are sent away go one after the other, in their order") {
  KeyLines lines;
  LineMember first = One(1);
  LineMember second = One(1);
  LineMember third = One(1);
  CHECK(lines.Enter(first));
  CHECK(lines.Enter(second));
  CHECK(lines.SendAway(first));
  CHECK_FALSE(lines.Enter(third));
  CHECK_FALSE(lines.SendAway(second));
  CHECK(lines.Leave(first) == Out{&second});
  CHECK(second.state == State::kAway);
  CHECK(lines.Leave(second) == Out{&third});
  CHECK(third.state == State::kHome);
}

TEST_CASE("a command that is sent away waits for those before it that are still at home") {
  KeyLines lines;
  LineMember first = One(1);
  LineMember second = One(1);
  CHECK(lines.Enter(first));
  CHECK(lines.Enter(second));
  CHECK_FALSE(lines.SendAway(second));
  CHECK(lines.Leave(first) == Out{&second});
  CHECK(second.state == State::kAway);
}

TEST_CASE("a command of several keys waits in all its lines") {
  KeyLines lines;
  LineMember one = One(1);
  LineMember two = One(2);
  LineMember both = One(1);
  both.keys.push_back(2);
  CHECK(lines.Enter(one));
  CHECK(lines.Enter(two));
  CHECK(lines.SendAway(one));
  CHECK(lines.SendAway(two));
  CHECK_FALSE(lines.Enter(both));
  CHECK(lines.Leave(one).empty());
  CHECK(lines.Leave(two) == Out{&both});
}

TEST_CASE("all plain commands behind an answered script go out at once") {
  KeyLines lines;
  LineMember script = Script({1});
  LineMember plain = One(1);
  LineMember next = One(1);
  LineMember last = Script({1});
  LineMember behind = One(1);
  CHECK(lines.Enter(script));
  CHECK_FALSE(lines.Enter(plain));
  CHECK_FALSE(lines.Enter(next));
  CHECK_FALSE(lines.Enter(last));
  CHECK_FALSE(lines.Enter(behind));
  CHECK(lines.Leave(script) == Out{&plain, &next, &last});
  CHECK(lines.Leave(plain).empty());
  CHECK(lines.Leave(next).empty());
  CHECK(lines.Leave(last) == Out{&behind});
}

TEST_CASE("a command without keys waits for nobody") {
  KeyLines lines;
  LineMember none;
  CHECK(lines.Enter(none));
  CHECK(lines.SendAway(none));
  CHECK(lines.Leave(none).empty());
}

}  // namespace
}  // namespace tarn::storage::redis
