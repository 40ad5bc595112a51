#include "storage/redis/layout.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "storage/base/checksum.h"
#include "storage/redis/key_slot.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::storage::redis {
namespace {

using testing::Value;

std::string Bytes(absl::string_view text) { return std::string(text); }

TEST_CASE("the tags of all partitions are what they have always been") {
  std::string all;
  for (int partition = 0; partition < kPartitions; ++partition) {
    all += std::string(PartitionTag(static_cast<Partition>(partition)));
  }
  CHECK(PartitionTag(0) == "4L");
  CHECK(PartitionTag(1) == "bl");
  CHECK(PartitionTag(255) == "fv");
  CHECK(base::Checksum64(all) == 0x7029000f2e0ad34f);
}

TEST_CASE("partitions are spread evenly over the slots") {
  for (int partition = 0; partition < kPartitions; ++partition) {
    const auto tag = PartitionTag(static_cast<Partition>(partition));
    const uint16_t slot = PartitionSlot(static_cast<Partition>(partition));
    CHECK(slot == KeySlot(tag));
    CHECK(slot / (kSlots / kPartitions) == partition);
  }
}

TEST_CASE("a cluster of N nodes that deals out slots evenly deals out partitions evenly") {
  for (int nodes = 2; nodes <= 32; ++nodes) {
    std::vector<int> partitions(nodes, 0);
    for (int partition = 0; partition < kPartitions; ++partition) {
      ++partitions[PartitionSlot(static_cast<Partition>(partition)) * nodes / kSlots];
    }
    const auto [least, most] = std::minmax_element(partitions.begin(), partitions.end());
    CHECK(*most - *least <= 2);
  }
}

TEST_CASE("the partition of a key is what it has always been") {
  CHECK(PartitionOf(Placement::kSpread, 1, "key") == 242);
  CHECK(PartitionOf(Placement::kSpread, 2, "key") == 209);
  CHECK(PartitionOf(Placement::kTogether, 1, "key") == 3);
}

TEST_CASE("keys of a namespace that is spread use every partition alike") {
  std::vector<int> keys(kPartitions, 0);
  for (int i = 0; i < 256'000; ++i) {
    ++keys[PartitionOf(Placement::kSpread, 7, std::to_string(i))];
  }
  const auto [least, most] = std::minmax_element(keys.begin(), keys.end());
  CHECK(*least > 800);
  CHECK(*most < 1200);
}

TEST_CASE("keys of a namespace that is together share one partition") {
  std::set<Partition> used;
  for (int i = 0; i < 100; ++i) {
    used.insert(PartitionOf(Placement::kTogether, 7, std::to_string(i)));
  }
  CHECK(used.size() == 1);
}

TEST_CASE("names in Redis are what they have always been") {
  const Layout layout = Value(Layout::Create("tarn"));
  CHECK(layout.Entry(0, {1, 3, "k"}) == Bytes("tarn{4L}v\x01\x03k"));
  CHECK(layout.Entry(0, {300, 200, "k"}) == Bytes("tarn{4L}v\xAC\x02\xC8\x01k"));
  CHECK(layout.Index(0, 1) == Bytes("tarn{4L}i\x01"));
  CHECK(layout.Deadlines(1, 300) == Bytes("tarn{bl}x\xAC\x02"));
  CHECK(layout.IndexLog(1, 300, 1) == Bytes("tarn{bl}l\xAC\x02\x01"));
  CHECK(layout.Removals(1, 300) == Bytes("tarn{bl}r\xAC\x02"));
  CHECK(layout.Heartbeat() == "tarn{4L}h");
  CHECK(layout.Meta() == "tarn{4L}m");
  CHECK(layout.Generations() == "tarn{4L}g");
  CHECK(layout.Owner(255) == "tarn{fv}o");
  CHECK(layout.Format() == "tarn{4L}f");
  CHECK(layout.Start() == "tarn{");
}

TEST_CASE("everything in a partition has its slot, whatever a user's key holds") {
  const Layout layout = Value(Layout::Create("a.b:c-d_9"));
  const std::vector<std::string> keys = {"", "k", "{x}", "}{", "*?[]", std::string("\0\xFF{", 3)};
  for (Partition partition : {Partition{0}, Partition{17}, Partition{255}}) {
    const uint16_t slot = PartitionSlot(partition);
    for (const std::string& key : keys) {
      CHECK(KeySlot(layout.Entry(partition, {1, 1, key})) == slot);
    }
    CHECK(KeySlot(layout.Index(partition, 9)) == slot);
    CHECK(KeySlot(layout.Deadlines(partition, 9)) == slot);
    CHECK(KeySlot(layout.IndexLog(partition, 9, 0)) == slot);
    CHECK(KeySlot(layout.Removals(partition, 9)) == slot);
    CHECK(KeySlot(layout.Owner(partition)) == slot);
  }
}

TEST_CASE("an entry's name gives back generation, namespace and key") {
  const Layout layout = Value(Layout::Create("t"));
  const std::vector<std::string> keys = {"", "k", "{x}", std::string("\0\xFF*", 3)};
  for (const std::string& key : keys) {
    const EntryName name = {4'000'000'000, 4'000'000'001, key};
    const std::string text = layout.Entry(5, name);
    CHECK(layout.ParseEntry(5, text) == name);
  }
}

TEST_CASE("a name that is no entry's is not taken for one") {
  const Layout layout = Value(Layout::Create("t"));
  const std::string name = layout.Entry(5, {1, 2, "k"});
  CHECK(!layout.ParseEntry(6, name));
  CHECK(!Value(Layout::Create("tt")).ParseEntry(5, name));
  CHECK(!layout.ParseEntry(5, layout.Index(5, 1)));
  CHECK(!layout.ParseEntry(5, name.substr(0, name.size() - 2)));
  CHECK(!layout.ParseEntry(5, ""));
  // Generation and namespace do not fit into 32 bits, or have needless bytes.
  const std::string start = name.substr(0, name.size() - 3);
  CHECK(!layout.ParseEntry(5, start + Bytes("\xFF\xFF\xFF\xFF\x7F\x02k")));
  CHECK(!layout.ParseEntry(5, start + Bytes("\x01\xFF\xFF\xFF\xFF\x7Fk")));
  CHECK(!layout.ParseEntry(5, start + std::string("\x81\x00\x02k", 4)));
}

TEST_CASE("members of the index sort as entries do") {
  CHECK(EncodeIndexMember({0x01020304, "key"}) == Bytes("\x01\x02\x03\x04key"));
  CHECK(EncodeIndexMember({1, "z"}) < EncodeIndexMember({2, "a"}));
  CHECK(EncodeIndexMember({1, ""}) < EncodeIndexMember({1, std::string("\0", 1)}));
  CHECK(EncodeIndexMember({255, "z"}) < EncodeIndexMember({256, "a"}));
  const std::string member = EncodeIndexMember({7, "key"});
  CHECK(DecodeIndexMember(member) == IndexMember{7, "key"});
  CHECK(!DecodeIndexMember("123"));
}

TEST_CASE("a key prefix that could change a slot or an ACL is refused") {
  for (const std::string& prefix :
       {std::string(), std::string("a{b"), std::string("a}"), std::string("a*"), std::string("a b"),
        std::string("a\0", 2), std::string(65, 'a')}) {
    CHECK(testing::Brief(Layout::Create(prefix)) == "INVALID_ARGUMENT INVALID_REQUEST");
  }
  CHECK(Layout::Create(std::string(64, 'a')).ok());
}

}  // namespace
}  // namespace tarn::storage::redis
