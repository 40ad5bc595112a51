// Members that are moved from the lists into the indexes, while something goes wrong.
#include <signal.h>

#include <future>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/redis/fold.h"
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

using storage::SnapshotPurpose;
using storage::redis::EncodeIndexMember;
using storage::redis::EncodeLogged;
using storage::redis::kStorePartition;

std::string ListName(KeyspaceEngine& engine, int half) {
  return engine.core().layout.IndexLog(kStorePartition, engine.core().generation, half);
}

std::vector<std::string> Keys(KeyspaceEngine& engine) {
  std::vector<std::string> keys;
  for (const Row& row :
       ReadAll(*Value(engine.OpenSnapshot(SnapshotPurpose::kCheckpoint)), engine.clock().Now())) {
    keys.push_back(row.key);
  }
  return keys;
}

void PutAll(KeyspaceEngine& engine, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) REQUIRE(Do(engine, Put(key, "v")).status.ok());
}

// More than go to Redis at once.
std::vector<std::string> Many() {
  std::vector<std::string> keys;
  for (int i = 0; i < 300; ++i) keys.push_back(absl::StrCat("k", 1'000 + i));
  return keys;
}

std::string Indexed(KeyspaceEngine& engine, const std::string& key) {
  return engine.Ask({"ZSCORE", engine.IndexName(kNs, key), EncodeIndexMember({kNs, key})});
}

// How many members of the key there are on their way to the index.
size_t OnTheirWay(KeyspaceEngine& engine, const std::string& key) {
  size_t count = 0;
  engine.OnLoop([&] {
    const std::string member = EncodeIndexMember({kNs, key});
    count = engine.core().index_log.Count(engine.core().placements.Locate(kNs, key).partition,
                                          {member, member + '\0'});
  });
  return count;
}

// As if what moved the member had not reached the replica that is the primary now.
void TakeBack(KeyspaceEngine& engine, const std::string& key, int half) {
  const auto partition = engine.core().placements.Locate(kNs, key).partition;
  const std::string member = EncodeIndexMember({kNs, key});
  REQUIRE(engine.Ask({"ZREM", engine.IndexName(kNs, key), member}) == "1");
  engine.Ask({"RPUSH", ListName(engine, half), EncodeLogged({partition, member})});
}

TEST_CASE("a list goes only when what a server that took over meanwhile has in it is indexed") {
  RedisServer server;
  KeyspaceEngine engine(server);
  PutAll(engine, {"old"});
  engine.Fold();
  PutAll(engine, Many());
  TakeBack(engine, "old", 1);
  std::promise<void> folded;
  std::promise<void> read;
  engine.OnLoop([&] {
    auto& log = engine.core().index_log;
    log.FoldAll([&](const absl::Status&) { folded.set_value(); });
    log.OnNodeChanged();
    log.WhenComplete(kStorePartition, [&](const absl::Status&) { read.set_value(); });
  });
  read.get_future().wait();
  folded.get_future().wait();
  AwaitThat("the lists are gone", [&] {
    return engine.Ask({"EXISTS", ListName(engine, 0), ListName(engine, 1)}) == "0";
  });
  CHECK(Indexed(engine, "old") == "0");
  CHECK(Keys(engine).size() == Many().size() + 1);
}

TEST_CASE("a list that waits for its removal when a restore ends its generation is left alone") {
  RedisServer server;
  KeyspaceEngine engine(server);
  PutAll(engine, {"a"});
  const std::string list = ListName(engine, 0);
  const std::string index = engine.IndexName(kNs, "a");
  REQUIRE(engine.Ask({"REPLICAOF", "127.0.0.1", "1"}) == "OK");  // It takes no writes.
  const uint64_t before = engine.core().counters.retries;
  engine.OnLoop([&] { engine.core().index_log.FoldAll([](const absl::Status&) {}); });
  AwaitThat("it is tried again", [&] { return engine.core().counters.retries > before; });
  engine.OnLoop([&] {
    engine.core().generation = 2;
    engine.core().index_log.StartGeneration();
  });
  REQUIRE(engine.Ask({"REPLICAOF", "NO", "ONE"}) == "OK");
  // Behind it on the same list.
  std::promise<void> later;
  engine.OnLoop([&] {
    SendFold(engine.core(), kStorePartition, list,
             {[] { return false; }, [] { return std::vector<std::string>(); }},
             [&](const absl::Status&) { later.set_value(); });
  });
  later.get_future().wait();
  CHECK(engine.Ask({"LLEN", list}) == "1");
  CHECK(engine.Ask({"EXISTS", index}) == "0");
}

TEST_CASE("a Redis whose memory is full in the middle of a fold loses no member, and recovers") {
  RedisServer server;
  KeyspaceEngine engine(server);
  PutAll(engine, Many());
  std::promise<absl::Status> folded;
  engine.OnLoop([&] {
    engine.core().index_log.FoldAll([&](const absl::Status& s) { folded.set_value(s); });
    // Behind the first members, before the last ones.
    const auto lease = engine.core().link->Lease(kStorePartition, {}).lease;
    lease->Send(storage::redis::CommandKind::kWrite,
                "*4\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n$9\r\nmaxmemory\r\n$1\r\n1\r\n",
                [](storage::redis::Answer&) {});
  });
  CHECK(folded.get_future().get().code() == absl::StatusCode::kResourceExhausted);
  CHECK(engine.Ask({"LLEN", ListName(engine, 0)}) == "300");
  CHECK(Keys(engine) == Many());
  REQUIRE(Do(engine, Delete("k1000")).status.ok());
  CHECK(Do(engine, Put("new", "v")).status.code() == absl::StatusCode::kResourceExhausted);
  CHECK(Keys(engine).size() == Many().size() - 1);
  REQUIRE(engine.Ask({"CONFIG", "SET", "maxmemory", "0"}) == "OK");
  AwaitThat("it is tried again", [&] {
    return engine.Ask({"EXISTS", ListName(engine, 0)}) == "0";
  });
  CHECK(Keys(engine).size() == Many().size() - 1);
  for (const std::string& key : Keys(engine)) CHECK(Indexed(engine, key) == "0");
}

TEST_CASE("a creation that Redis refuses leaves nothing on its way to an index") {
  RedisServer server;
  KeyspaceEngine engine(server);
  REQUIRE(engine.Ask({"CONFIG", "SET", "maxmemory", "1"}) == "OK");
  CHECK(Do(engine, Put("k", "v")).status.code() == absl::StatusCode::kResourceExhausted);
  CHECK(OnTheirWay(engine, "k") == 0);
  REQUIRE(engine.Ask({"CONFIG", "SET", "maxmemory", "0"}) == "OK");
  engine.Fold();
  CHECK(engine.Ask({"EXISTS", engine.IndexName(kNs, "k")}) == "0");
}

TEST_CASE("a member without an entry that a scan has found does not go into the index") {
  RedisServer server;
  KeyspaceEngine engine(server);
  PutAll(engine, {"ghost", "k"});
  REQUIRE(engine.Ask({"DEL", engine.EntryName(kNs, "ghost")}) == "1");
  CHECK(Keys(engine) == std::vector<std::string>{"k"});
  AwaitThat("it is forgotten", [&] { return OnTheirWay(engine, "ghost") == 0; });
  engine.Fold();
  CHECK(Indexed(engine, "ghost") == "nil");
  CHECK(Indexed(engine, "k") == "0");
}

TEST_CASE("a sweep that finds an entry alive leaves its member on the way to the index") {
  RedisServer server;
  KeyspaceEngine engine(server);
  REQUIRE(Do(engine, Put("k", "v").Until(engine.clock().Now() + 10)).status.ok());
  REQUIRE(Do(engine, Put("k", "v")).status.ok());  // For ever; the deadline's index is not told.
  engine.clock().Advance(10);
  REQUIRE(Value(engine.SweepExpired(10)).removed == 0);
  CHECK(Keys(engine) == std::vector<std::string>{"k"});
  engine.Fold();
  CHECK(Indexed(engine, "k") == "0");
}

// The answers to what is written while Redis stands still are lost; it is done when it goes on.
TEST_CASE("a put that is found to be done is indexed, although its member was refused") {
  RedisServer server;
  base::SystemClock clock;
  KeyspaceEngine engine(server, {.clock = &clock});
  engine.OnLoop([&] { engine.core().settle_patience_ms = 60'000; });
  REQUIRE(engine.Ask({"ACL", "SETUSER", "default", "-rpush"}) == "OK");
  server.Signal(SIGSTOP);
  auto put = std::async(std::launch::async, [&] { return Do(engine, Put("k", "v")).status; });
  AwaitThat("its answer is lost", [&] { return engine.core().counters.lost > 0; });
  server.Signal(SIGCONT);
  CHECK(put.get().ok());
  CHECK(Indexed(engine, "k") == "0");
}

}  // namespace
}  // namespace tarn::testing
