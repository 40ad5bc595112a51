// Who may work on a key when.
#include "storage/redis/key_order.h"

#include <deque>
#include <string>

#include "tests/catch.h"

namespace tarn::storage::redis {
namespace {

using Mode = KeyTurn::Mode;

// Writes its name when it has its turn.
class Turn final : public KeyTurn {
 public:
  Turn(std::string& log, char name, Mode wanted, std::initializer_list<uint64_t> wanted_keys)
      : log_(log), name_(name) {
    mode = wanted;
    keys.assign(wanted_keys.begin(), wanted_keys.end());
  }
  void OnTurn() override { log_.push_back(name_); }

 private:
  std::string& log_;
  const char name_;
};

// Turns by their names, in one order.
struct Line {
  KeyOrder order;
  std::string log;
  std::deque<Turn> turns;

  Turn& Enter(char name, Mode mode, std::initializer_list<uint64_t> keys) {
    Turn& turn = turns.emplace_back(log, name, mode, keys);
    order.Enter(turn);
    return turn;
  }
};

TEST_CASE("those who share a key begin at once") {
  Line line;
  Turn& a = line.Enter('a', Mode::kShared, {1});
  Turn& b = line.Enter('b', Mode::kShared, {1});
  CHECK(line.log == "ab");
  CHECK(line.order.HasFollower(a));
  CHECK_FALSE(line.order.HasFollower(b));
  line.order.Leave(a);
  line.order.Leave(b);
  CHECK(line.order.size() == 0);
}

TEST_CASE("who wants a key alone waits for all before it, and all behind it wait") {
  Line line;
  Turn& a = line.Enter('a', Mode::kShared, {1});
  Turn& b = line.Enter('b', Mode::kShared, {1});
  Turn& c = line.Enter('c', Mode::kAlone, {1});
  Turn& d = line.Enter('d', Mode::kShared, {1});
  Turn& e = line.Enter('e', Mode::kShared, {1});
  line.order.Leave(b);
  CHECK(line.log == "ab");
  line.order.Leave(a);
  CHECK(line.log == "abc");
  line.order.Leave(c);
  CHECK(line.log == "abcde");
  line.order.Leave(d);
  line.order.Leave(e);
}

TEST_CASE("who wants several keys begins when it has all of them") {
  Line line;
  Turn& a = line.Enter('a', Mode::kAlone, {1});
  Turn& b = line.Enter('b', Mode::kAlone, {2});
  Turn& c = line.Enter('c', Mode::kAlone, {1, 2});
  Turn& d = line.Enter('d', Mode::kAlone, {2});
  line.order.Leave(a);
  CHECK(line.log == "ab");
  line.order.Leave(b);
  CHECK(line.log == "abc");
  line.order.Leave(c);
  CHECK(line.log == "abcd");
  line.order.Leave(d);
  CHECK(line.order.size() == 0);
}

TEST_CASE("who leaves without having begun holds nobody up") {
  Line line;
  Turn& a = line.Enter('a', Mode::kAlone, {1});
  Turn& b = line.Enter('b', Mode::kAlone, {1, 2});
  Turn& c = line.Enter('c', Mode::kShared, {2});
  line.order.Leave(b);
  CHECK(line.log == "ac");
  line.order.Leave(a);
  line.order.Leave(c);
  CHECK(line.order.size() == 0);
}

TEST_CASE("who wants no key waits for nobody") {
  Line line;
  line.Enter('a', Mode::kAlone, {1});
  line.Enter('b', Mode::kAlone, {});
  CHECK(line.log == "ab");
}

TEST_CASE("a long line that leaves in any order forgets nobody") {
  Line line;
  std::deque<Turn*> left;
  for (int i = 0; i < 500; ++i) left.push_back(&line.Enter('s', Mode::kShared, {7}));
  for (size_t i = 0; i < left.size(); i += 2) line.order.Leave(*left[i]);
  Turn& last = line.Enter('z', Mode::kAlone, {7});
  for (size_t i = 1; i + 2 < left.size(); i += 2) line.order.Leave(*left[i]);
  CHECK(line.log.back() == 's');
  line.order.Leave(*left.back());
  CHECK(line.log.back() == 'z');
  line.order.Leave(last);
  CHECK(line.order.size() == 0);
}

}  // namespace
}  // namespace tarn::storage::redis
