// What is on its way into an index is found all the same, and gets there.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/redis/logged_members.h"
#include "tests/catch.h"
#include "tests/contract/language.h"
#include "tests/contract/subject.h"
#include "tests/storage/redis/support/await.h"
#include "tests/storage/redis/support/keyspace_engine.h"
#include "tests/storage/redis/support/redis_server.h"
#include "tests/support/status.h"

namespace tarn::testing {
namespace {

using storage::ScanDirection;
using storage::SnapshotPurpose;
using storage::redis::DecodeLogged;
using storage::redis::EncodeLogged;
using storage::redis::IndexLog;
using storage::redis::kStorePartition;

std::string ListName(KeyspaceEngine& engine, int half) {
  return engine.core().layout.IndexLog(kStorePartition, engine.core().generation, half);
}

std::string Listed(KeyspaceEngine& engine) {
  return absl::StrCat(engine.Ask({"LLEN", ListName(engine, 0)}), " ",
                      engine.Ask({"LLEN", ListName(engine, 1)}));
}

std::vector<std::string> NamesOf(const std::vector<Row>& rows) {
  std::vector<std::string> keys;
  for (const Row& row : rows) keys.push_back(row.key);
  return keys;
}

std::vector<std::string> Keys(KeyspaceEngine& engine) {
  return NamesOf(
      ReadAll(*Value(engine.OpenSnapshot(SnapshotPurpose::kCheckpoint)), engine.clock().Now()));
}

// What the engine before it wrote is older than what this one will write.
void FollowOn(KeyspaceEngine& engine) {
  engine.OnLoop([&] {
    engine.core().writes.StartIncarnation(2);
    engine.core().NoteCommit(storage::FirstRevision(2));
  });
}

void PutAll(KeyspaceEngine& engine, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) REQUIRE(Do(engine, Put(key, "v")).status.ok());
}

std::vector<std::string> Numbered(int from, int to) {
  std::vector<std::string> keys;
  for (int i = from; i < to; ++i) keys.push_back(absl::StrCat("k", 10'000 + i));
  return keys;
}

TEST_CASE("the bytes of a logged member are these") {
  CHECK(EncodeLogged({200, std::string("\0\0\0\1k", 5)}) == std::string("\xC8\0\0\0\1k", 6));
  CHECK(DecodeLogged(std::string("\xC8\0\0\0\1k", 6)) ==
        storage::redis::LoggedMember{200, std::string("\0\0\0\1k", 5)});
  CHECK_FALSE(DecodeLogged(""));
  CHECK_FALSE(DecodeLogged(std::string("\xC8\0\0\0", 4)));
}

TEST_CASE("a new key is in a list first, and scanned from there, forwards and backwards") {
  RedisServer server;
  KeyspaceEngine engine(server);
  PutAll(engine, {"b", "a"});
  engine.Fold();
  PutAll(engine, {"d", "c", "a"});
  REQUIRE(Listed(engine) == "0 2");
  REQUIRE(engine.Ask({"EXISTS", engine.IndexName(kNs, "c")}) == "0");
  CHECK(Keys(engine) == std::vector<std::string>{"a", "b", "c", "d"});
  auto snapshot = Value(engine.OpenSnapshot(SnapshotPurpose::kScan));
  Reader reader(*snapshot, {kNs, "b", "d"}, {.direction = ScanDirection::kDescending});
  CHECK(NamesOf(reader.Rest({}, engine.clock().Now())) == std::vector<std::string>{"c", "b"});
}

TEST_CASE("pages that take from the index and from the lists miss nothing and repeat nothing") {
  RedisServer server;
  KeyspaceEngine engine(server);
  engine.SetPlacement(kNs, storage::Placement::kTogether);
  std::vector<std::string> all;
  for (const bool folded : {true, false}) {
    for (int i = folded ? 0 : 1; i < 1000; i += folded ? 2 : 3) {
      PutAll(engine, {absl::StrCat("k", 10'000 + i)});
    }
    if (folded) engine.Fold();
  }
  for (int i = 0; i < 1000; ++i) {
    if (i % 2 == 0 || i % 3 == 1) all.push_back(absl::StrCat("k", 10'000 + i));
  }
  for (const ScanDirection direction : {ScanDirection::kAscending, ScanDirection::kDescending}) {
    auto snapshot = Value(engine.OpenSnapshot(SnapshotPurpose::kScan));
    Reader reader(*snapshot, {kNs, "", ""}, {.direction = direction});
    std::vector<std::string> found = NamesOf(reader.Rest({.max_entries = 7}, engine.clock().Now()));
    if (direction == ScanDirection::kDescending) std::reverse(found.begin(), found.end());
    CHECK(found == all);
  }
}

TEST_CASE("a list that is long enough goes into the index, and the other one takes over") {
  RedisServer server;
  KeyspaceEngine engine(server);
  constexpr int kEnough = 256 * static_cast<int>(IndexLog::kFoldMembers);
  for (int i = 0; i < kEnough + 100; i += 500) {
    std::vector<Op> puts;
    for (const std::string& key : Numbered(i, std::min(i + 500, kEnough + 100))) {
      puts.push_back(Put(key, "v"));
    }
    for (const auto& result : Independent(engine, puts).results) REQUIRE(result.status.ok());
  }
  AwaitThat("the first list is gone", [&] { return Listed(engine) == "0 100"; });
  CHECK(Keys(engine).size() == kEnough + 100);
  engine.Fold();
  CHECK(Listed(engine) == "0 0");
  CHECK(Keys(engine).size() == kEnough + 100);
}

TEST_CASE("a key that is deleted before its member is in the index leaves none there") {
  RedisServer server;
  KeyspaceEngine engine(server);
  PutAll(engine, {"stays", "goes", "expires"});
  REQUIRE(Do(engine, Delete("goes")).status.ok());
  REQUIRE(Do(engine, Put("expires", "v").Until(engine.clock().Now() + 10)).status.ok());
  engine.clock().Advance(10);
  REQUIRE(Value(engine.SweepExpired(10)).removed == 1);
  engine.Fold();
  CHECK(Listed(engine) == "0 0");
  CHECK(engine.Ask({"EXISTS", engine.IndexName(kNs, "goes"), engine.IndexName(kNs, "expires")}) ==
        "0");
  CHECK(Keys(engine) == std::vector<std::string>{"stays"});
  // As if it had never been there.
  PutAll(engine, {"goes"});
  CHECK(Keys(engine) == std::vector<std::string>{"goes", "stays"});
}

TEST_CASE("whoever opens a store puts what is in its lists into the indexes") {
  RedisServer server;
  const std::vector<std::string> keys = Numbered(0, 3000);  // More than are read at once.
  {
    KeyspaceEngine engine(server);
    PutAll(engine, keys);
    REQUIRE(Listed(engine) == "3000 0");
  }
  KeyspaceEngine engine(server);
  FollowOn(engine);
  CHECK(Listed(engine) == "0 0");
  CHECK(Keys(engine) == keys);
}

TEST_CASE("lists of each partition, as a cluster has them, are found by whoever opens the store") {
  RedisServer server;
  {
    KeyspaceEngine engine(server);
    PutAll(engine, {"k"});
    const auto partition = engine.core().placements.Locate(kNs, "k").partition;
    REQUIRE(partition != kStorePartition);
    REQUIRE(engine.Ask({"RENAME", ListName(engine, 0),
                        engine.core().layout.IndexLog(partition, 1, 1)}) == "OK");
  }
  KeyspaceEngine engine(server);
  FollowOn(engine);
  CHECK(Keys(engine) == std::vector<std::string>{"k"});
}

TEST_CASE(
    "what a server that took over still has in its lists is read before anything is scanned") {
  RedisServer server({"--appendonly", "yes", "--appendfsync", "always"});
  KeyspaceEngine engine(server);
  PutAll(engine, {"a", "b"});
  engine.Fold();
  // As if the fold had not reached the replica that is the primary now.
  const auto forget = [&](const std::string& key) {
    const auto partition = engine.core().placements.Locate(kNs, key).partition;
    const std::string member = storage::redis::EncodeIndexMember({kNs, key});
    REQUIRE(engine.Ask({"ZREM", engine.IndexName(kNs, key), member}) == "1");
    REQUIRE(engine.Ask({"RPUSH", ListName(engine, 0), EncodeLogged({partition, member})}) != "0");
  };
  forget("a");
  forget("b");
  CHECK(Keys(engine).empty());
  server.Kill();
  server.Restart();
  AwaitThat("another process answers", [&] {
    engine.clock().Advance(1000);  // The circuit breaker's.
    return engine.Ask({"PING"}) == "PONG";
  });
  CHECK(Keys(engine) == std::vector<std::string>{"a", "b"});
  // Also when the list is used again, and goes.
  PutAll(engine, {"c"});
  engine.Fold();
  CHECK(Listed(engine) == "0 0");
  CHECK(Keys(engine) == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("a list whose members the server refuses to index stays, and is tried again") {
  RedisServer server;
  KeyspaceEngine engine(server);
  PutAll(engine, {"k"});
  const std::string index = engine.IndexName(kNs, "k");
  engine.Ask({"SET", index, "not a set"});
  CHECK_THROWS(engine.Fold());
  CHECK(Listed(engine) == "1 0");
  engine.Ask({"DEL", index});
  AwaitThat("it is tried again", [&] { return Listed(engine) == "0 0"; });
  CHECK(engine.Ask({"ZCARD", index}) == "1");
  CHECK(Keys(engine) == std::vector<std::string>{"k"});
}

TEST_CASE("a generation that is removed takes the entries with it that its lists name") {
  RedisServer server;
  KeyspaceEngine engine(server);
  PutAll(engine, {"a", "b"});
  REQUIRE(Listed(engine) == "2 0");
  auto load = Value(engine.BeginBulkLoad());
  REQUIRE(load->Publish({"0123456789abcdef0123456789abcdef", 5}).ok());
  load.reset();
  engine.AwaitRemoval();
  CHECK(Keys(engine).empty());
  const auto partition = engine.core().placements.Locate(kNs, "a").partition;
  CHECK(engine.Ask({"EXISTS", engine.core().layout.Entry(partition, {1, kNs, "a"})}) == "0");
  CHECK(engine.Ask({"EXISTS", engine.core().layout.IndexLog(kStorePartition, 1, 0)}) == "0");
  PutAll(engine, {"new"});
  CHECK(Keys(engine) == std::vector<std::string>{"new"});
}

}  // namespace
}  // namespace tarn::testing
