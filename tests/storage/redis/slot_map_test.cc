#include "storage/redis/slot_map.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/redis/reply_parser.h"
#include "tests/catch.h"
#include "tests/storage/redis/support/fake_redis.h"
#include "tests/support/status.h"

namespace tarn::storage::redis {
namespace {

using testing::Brief;
using testing::Bulk;
using testing::Value;

const Endpoint kAsked = {"asked.example", 7000};
constexpr char kDamaged[] = "INTERNAL ENGINE_ERROR";

std::string Number(int64_t number) { return absl::StrCat(":", number, "\r\n"); }

std::string Array(const std::vector<std::string>& elements) {
  std::string text = absl::StrCat("*", elements.size(), "\r\n");
  for (const std::string& element : elements) text += element;
  return text;
}

std::string Node(const std::string& host, int64_t port) {
  return Array({Bulk(host), Number(port), Bulk("id"), Array({})});
}

absl::StatusOr<SlotMap> Parse(const std::string& bytes) {
  ReplyParser parser{ReplyLimits()};
  if (!parser.Feed(bytes).ok()) throw std::runtime_error("the bytes are no reply");
  const auto reply = Value(parser.Next());
  return ParseClusterSlots(reply->view(), kAsked);
}

std::string OwnerOf(const SlotMap& map, uint16_t slot) {
  const Endpoint* const owner = map.Owner(slot);
  return owner == nullptr ? "nobody" : EndpointText(*owner);
}

TEST_CASE("a slot belongs to the primary of its range") {
  const SlotMap map = Value(Parse(Array({
      Array({Number(0), Number(99), Node("a", 1), Node("b", 2)}),
      Array({Number(100), Number(16383), Node("c", 3)}),
  })));
  CHECK(OwnerOf(map, 0) == "a:1");
  CHECK(OwnerOf(map, 99) == "a:1");
  CHECK(OwnerOf(map, 100) == "c:3");
  CHECK(OwnerOf(map, 16383) == "c:3");
  CHECK(map.slots_served() == kSlots);
  REQUIRE(map.nodes().size() == 2);
  CHECK(map.nodes()[0].replicas == std::vector<Endpoint>{{"b", 2}});
  CHECK(map.nodes()[1].replicas.empty());
}

TEST_CASE("a primary of several ranges is one node, and a slot without a range is nobody's") {
  const SlotMap map = Value(Parse(Array({
      Array({Number(5), Number(5), Node("a", 1)}),
      Array({Number(7), Number(9), Node("a", 1)}),
  })));
  CHECK(map.nodes().size() == 1);
  CHECK(map.slots_served() == 4);
  CHECK(OwnerOf(map, 6) == "nobody");
  CHECK(OwnerOf(map, 8) == "a:1");
}

TEST_CASE("the slots of a node are told as ranges that do not touch") {
  const SlotMap map = Value(Parse(Array({
      Array({Number(0), Number(4), Node("a", 1)}),
      Array({Number(5), Number(9), Node("a", 1)}),
      Array({Number(10), Number(10), Node("b", 2)}),
      Array({Number(16383), Number(16383), Node("a", 1)}),
  })));
  CHECK(map.SlotsOf({"a", 1}) == std::vector<SlotRange>{{0, 9}, {16383, 16383}});
  CHECK(map.SlotsOf({"b", 2}) == std::vector<SlotRange>{{10, 10}});
  CHECK(map.SlotsOf({"c", 3}).empty());
}

TEST_CASE("a node that does not know its own address is the one that was asked") {
  for (const std::string& host : {Bulk(""), std::string("$-1\r\n")}) {
    const SlotMap map =
        Value(Parse(Array({Array({Number(0), Number(1), Array({host, Number(9), Bulk("id")})})})));
    CHECK(OwnerOf(map, 0) == "asked.example:9");
  }
}

TEST_CASE("a node without the name that it should be known by is known by its address") {
  const std::string details = Array({Bulk("ip"), Bulk("10.0.0.1")});
  const std::string node = Array({Bulk("?"), Number(9), Bulk("id"), details});
  CHECK(OwnerOf(Value(Parse(Array({Array({Number(0), Number(1), node})}))), 0) == "10.0.0.1:9");
  const std::string bare = Array({Bulk("?"), Number(9), Bulk("id"), Array({Bulk("ip")})});
  CHECK(Brief(Parse(Array({Array({Number(0), Number(1), bare})}))) == kDamaged);
}

TEST_CASE("addresses of IPv6 are hosts") {
  const SlotMap map = Value(Parse(Array({Array({Number(0), Number(1), Node("::1", 9)})})));
  CHECK(OwnerOf(map, 0) == "[::1]:9");
}

TEST_CASE("a map that cannot be is refused") {
  const std::string node = Node("a", 1);
  CHECK(Brief(Parse(Array({Array({Number(0), Number(kSlots), node})}))) == kDamaged);
  CHECK(Brief(Parse(Array({Array({Number(-1), Number(1), node})}))) == kDamaged);
  CHECK(Brief(Parse(Array({Array({Number(2), Number(1), node})}))) == kDamaged);
  CHECK(Brief(Parse(Array({Array({Number(1), Number(1)})}))) == kDamaged);
  CHECK(Brief(Parse(Array({Array({Bulk("1"), Number(1), node})}))) == kDamaged);
  CHECK(Brief(Parse(Array({Array({Number(1), Number(1), Node("a b", 1)})}))) == kDamaged);
  CHECK(Brief(Parse(Array({Array({Number(1), Number(1), Node("a", 0)})}))) == kDamaged);
  CHECK(Brief(Parse(Array({Array({Number(1), Number(1), Node("a", 65536)})}))) == kDamaged);
  CHECK(Brief(Parse(Array({Array({Number(1), Number(1), Number(1)})}))) == kDamaged);
  CHECK(Brief(Parse(Array({Number(1)}))) == kDamaged);
  CHECK(Brief(Parse("+OK\r\n")) == kDamaged);
  const std::string range = Array({Number(1), Number(3), node});
  CHECK(Brief(Parse(Array({range, range}))) == kDamaged);
}

TEST_CASE("a cluster of more nodes than there may be is refused") {
  std::vector<std::string> ranges;
  for (int i = 0; i < static_cast<int>(kMaxClusterNodes); ++i) {
    ranges.push_back(Array({Number(i), Number(i), Node("a", i + 1)}));
  }
  SlotMap map = Value(Parse(Array(ranges)));
  CHECK(Brief(map.Assign(5000, {"b", 1})) == kDamaged);
  CHECK(Brief(map.Assign(5000, {"a", 1})) == "OK");
  ranges.push_back(Array({Number(5000), Number(5000), Node("b", 1)}));
  CHECK(Brief(Parse(Array(ranges))) == kDamaged);
}

TEST_CASE("a slot that moved belongs to where it moved, known before or not") {
  SlotMap map = Value(Parse(Array({Array({Number(0), Number(99), Node("a", 1)})})));
  CHECK(Brief(map.Assign(7, {"new", 2})) == "OK");
  CHECK(OwnerOf(map, 7) == "new:2");
  CHECK(OwnerOf(map, 8) == "a:1");
}

}  // namespace
}  // namespace tarn::storage::redis
