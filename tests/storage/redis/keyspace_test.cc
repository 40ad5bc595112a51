// What is kept in Redis, and what becomes of it: indexes, sweeping, large values, loads.
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/redis/generations.h"
#include "storage/redis/record.h"
#include "tests/catch.h"
#include "tests/contract/language.h"
#include "tests/contract/subject.h"
#include "tests/storage/redis/support/keyspace_engine.h"
#include "tests/storage/redis/support/redis_server.h"
#include "tests/support/status.h"

namespace tarn::testing {
namespace {

using storage::KeyRange;
using storage::ScanContent;
using storage::ScanDirection;
using storage::SnapshotPurpose;

std::vector<Row> All(KeyspaceEngine& engine, NamespaceId ns = kNs) {
  return ReadAll(*Value(engine.OpenSnapshot(SnapshotPurpose::kCheckpoint)), engine.clock().Now(),
                 ns);
}

void Must(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

// Waits until it is so: what is done in the background comes soon.
void Await(const std::function<bool()>& so) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!so()) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("it never came so far");
    std::this_thread::yield();
  }
}

// --- indexes ---

TEST_CASE("a name in the index without an entry is taken out by whoever meets it") {
  RedisServer server;
  KeyspaceEngine engine(server);
  Must(Do(engine, Put("here", "v")).status);
  Must(Do(engine, Put("gone", "v")).status);
  engine.Fold();
  const std::string index = engine.IndexName(kNs, "gone");
  REQUIRE(engine.Ask({"DEL", engine.EntryName(kNs, "gone")}) == "1");
  REQUIRE(engine.Ask({"ZCARD", index}) == "1");
  CHECK(All(engine).size() == 1);
  Await([&] { return engine.Ask({"ZCARD", index}) == "0"; });
  CHECK(engine.core().counters.healed == 1);
  // It was known to be there: the next put enters it again all the same.
  Must(Do(engine, Put("gone", "again")).status);
  CHECK(All(engine).size() == 2);
}

TEST_CASE(
    "an index that names something else than keys, and other bytes than records, are damage") {
  RedisServer server;
  KeyspaceEngine engine(server);
  Must(Do(engine, Put("k", "v")).status);
  auto snapshot = Value(engine.OpenSnapshot(SnapshotPurpose::kScan));
  engine.Ask({"SET", engine.EntryName(kNs, "k"), "not a record"});
  Reader reader(*snapshot, {kNs, "", ""});
  CHECK(Brief(reader.Next({}, engine.clock().Now()).status) == "DATA_LOSS DATA_LOSS");
}

// --- large values ---

TEST_CASE("values of all sizes are read in order, forwards and backwards, whole or by key alone") {
  RedisServer server;
  KeyspaceEngine engine(server);
  std::vector<std::string> values;
  for (int i = 0; i < 200; ++i) {
    const size_t size = i % 20 == 7 ? size_t{1} << 20 : i % 5 == 0 ? 100'000 : 10;
    values.push_back(std::string(size, static_cast<char>('a' + i % 26)));
    Must(Do(engine, Put(absl::StrCat(1000 + i), values.back())).status);
  }
  auto snapshot = Value(engine.OpenSnapshot(SnapshotPurpose::kCheckpoint));
  for (const ScanDirection direction : {ScanDirection::kAscending, ScanDirection::kDescending}) {
    std::vector<Row> rows = Reader(*snapshot, {kNs, "", ""}, {direction, ScanContent::kEntries})
                                .Rest({1000, 3 << 20}, engine.clock().Now());
    if (direction == ScanDirection::kDescending) std::reverse(rows.begin(), rows.end());
    REQUIRE(rows.size() == values.size());
    for (size_t i = 0; i < rows.size(); ++i) REQUIRE(rows[i].value == values[i]);
  }
  Reader keys(*snapshot, {kNs, "", ""}, {ScanDirection::kAscending, ScanContent::kKeysOnly});
  const std::vector<Row> rows = keys.Rest({}, engine.clock().Now());
  REQUIRE(rows.size() == values.size());
  CHECK(std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.value.empty(); }));
}

// --- sweeping ---

uint64_t CallsOf(KeyspaceEngine& engine, const std::string& command) {
  const std::string stats = engine.Ask({"INFO", "commandstats"});
  const std::string name = absl::StrCat("cmdstat_", command, ":calls=");
  const size_t at = stats.find(name);
  return at == stats.npos ? 0 : std::stoull(stats.substr(at + name.size()));
}

TEST_CASE("sweeping asks where something may have expired, and everywhere once a minute") {
  RedisServer server;
  KeyspaceEngine engine(server);
  const auto sweep = [&] {
    const uint64_t before = CallsOf(engine, "zrange");
    Value(engine.SweepExpired(100));
    return CallsOf(engine, "zrange") - before;
  };
  CHECK(sweep() == 256);
  CHECK(sweep() == 0);
  Must(Do(engine, Put("soon", "v").Until(engine.clock().Now() + 10)).status);
  Must(Do(engine, Put("late", "v").Until(engine.clock().Now() + 70'000)).status);
  Must(Do(engine, Add("touched", 1)).status);
  Must(Do(engine, Touch("touched", engine.clock().Now() + 10)).status);
  CHECK(sweep() == 0);
  engine.clock().Advance(10);
  const uint64_t before = CallsOf(engine, "zrange");
  CHECK(Value(engine.SweepExpired(100)).removed == 2);
  CHECK(CallsOf(engine, "zrange") == before + 2);
  CHECK(sweep() <= 2);  // What was noted before that look may come later.
  CHECK(sweep() == 0);
  engine.clock().Advance(60'000);
  CHECK(sweep() == 256);
  CHECK(sweep() == 0);
  engine.clock().Advance(10'000);
  CHECK(Value(engine.SweepExpired(100)).removed == 1);
}

TEST_CASE("what a sweep has no room for comes with the next one") {
  RedisServer server;
  KeyspaceEngine engine(server);
  for (int i = 0; i < 300; ++i) {
    Must(Do(engine, Put(absl::StrCat(i), "v").Until(engine.clock().Now() + 10)).status);
  }
  engine.clock().Advance(10);
  uint64_t removed = 0;
  bool more = true;
  for (int round = 0; more && round < 100; ++round) {
    const storage::SweepResult swept = Value(engine.SweepExpired(7));
    CHECK(swept.removed <= 7);
    removed += swept.removed;
    more = swept.more;
  }
  CHECK(removed == 300);
}

TEST_CASE("sweeping removes the value and its places in both indexes in one step") {
  RedisServer server;
  KeyspaceEngine engine(server);
  Must(Do(engine, Put("k", "v").Until(engine.clock().Now() + 10)).status);
  engine.Fold();
  const std::string entry = engine.EntryName(kNs, "k");
  const std::string index = engine.IndexName(kNs, "k");
  const std::string deadlines = engine.DeadlinesName(kNs, "k");
  REQUIRE(engine.Ask({"EXISTS", entry, index, deadlines}) == "3");
  CHECK(Value(engine.SweepExpired(10)).removed == 0);
  engine.clock().Advance(10);
  CHECK(Value(engine.SweepExpired(10)).removed == 1);
  CHECK(engine.Ask({"EXISTS", entry, index, deadlines}) == "0");
  CHECK(engine.ledger().Get(kNs).entries == 0);
  CHECK(engine.ledger().Get(kNs).bytes == 0);
}

TEST_CASE("a script that the server has forgotten is loaded again by the sweeper") {
  RedisServer server;
  KeyspaceEngine engine(server);
  Must(Do(engine, Put("k", "v").Until(engine.clock().Now() + 10)).status);
  engine.clock().Advance(10);
  engine.Ask({"SCRIPT", "FLUSH"});
  CHECK(Value(engine.SweepExpired(10)).removed == 1);
}

// --- loads ---

storage::StoreMeta Meta(storage::Incarnation incarnation) {
  return {std::string(32, 'a'), incarnation};
}

void LoadSome(storage::BulkLoad& load, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string key = absl::StrCat("loaded", i);
    const storage::EntryView entry{kNs, static_cast<Revision>(i + 1), kNever, key, "v"};
    Must(load.Add({&entry, 1}));
  }
}

TEST_CASE("the list of generations is what it has always been") {
  const std::string golden("\x01\0\0\0\x02\0\0\1\0", 9);
  CHECK(storage::redis::EncodeGenerations({256, 2}) == golden);
  CHECK(storage::redis::DecodeGenerations(golden) == std::set<storage::redis::Generation>{2, 256});
  for (const std::string& bad :
       {std::string(), std::string("\x02"), golden.substr(0, 8), golden + golden.substr(1, 4)}) {
    CHECK_FALSE(storage::redis::DecodeGenerations(bad));
  }
}

TEST_CASE("a published load leaves nothing of the generation before it") {
  RedisServer server;
  KeyspaceEngine engine(server);
  for (int i = 0; i < 1000; ++i) {
    const UnixMs deadline = i % 3 == 0 ? engine.clock().Now() + 1000 : kNever;
    Must(Do(engine, Put(absl::StrCat("old", i), "v").Until(deadline)).status);
  }
  auto load = Value(engine.BeginBulkLoad());
  LoadSome(*load, 3);
  Must(load->Publish(Meta(5)));
  load.reset();
  engine.AwaitRemoval();
  CHECK(All(engine).size() == 3);
  // Three values, at most three indexes, the meta record, the list of generations.
  Await([&] { return std::stoi(engine.Ask({"DBSIZE"})) <= 8; });
  CHECK(engine.Ask({"GET", engine.core().layout.Generations()}) == "\x01");
}

TEST_CASE("an abandoned load leaves nothing, and its number is not used while something is left") {
  RedisServer server;
  KeyspaceEngine engine(server);
  Must(Do(engine, Put("k", "v")).status);
  const std::string before = engine.Ask({"DBSIZE"});
  for (int i = 0; i < 3; ++i) {
    auto load = Value(engine.BeginBulkLoad());
    LoadSome(*load, 500);
  }
  engine.AwaitRemoval();
  Await([&] { return engine.Ask({"DBSIZE"}) == absl::StrCat(std::stoi(before) + 1); });
  CHECK(All(engine).size() == 1);
}

TEST_CASE("what a killed daemon was loading is removed at the next start") {
  RedisServer server;
  std::string before;
  {
    KeyspaceEngine engine(server);
    Must(Do(engine, Put("k", "v")).status);
    auto load = Value(engine.BeginBulkLoad());
    LoadSome(*load, 500);
    before = engine.Ask({"GET", engine.core().layout.Generations()});
    // It ends before anything is removed: its next command is refused.
    engine.OnLoop([&] { engine.core().BeginClosing(); });
  }
  KeyspaceEngine engine(server);
  engine.AwaitRemoval();
  Await([&] { return engine.Ask({"DBSIZE"}) == "3"; });
  CHECK(before != "\x01");
  CHECK(engine.Ask({"GET", engine.core().layout.Generations()}) == "\x01");
}

TEST_CASE("damage in the list of generations is named") {
  RedisServer server;
  {
    KeyspaceEngine engine(server);
    engine.Ask({"SET", engine.core().layout.Generations(), "what"});
  }
  std::string why;
  try {
    const KeyspaceEngine engine(server);
  } catch (const std::runtime_error& error) {
    why = error.what();
  }
  CHECK(absl::StrContains(why, "generations"));
}

TEST_CASE("a load that Redis has no memory for fails, and the old content stays") {
  RedisServer server({"--maxmemory-policy", "noeviction"});
  KeyspaceEngine engine(server);
  Must(Do(engine, Put("k", "v")).status);
  engine.Ask({"CONFIG", "SET", "maxmemory", "8mb"});
  auto load = Value(engine.BeginBulkLoad());
  const std::string value(100'000, 'x');
  absl::Status status;
  for (int i = 0; i < 200 && status.ok(); ++i) {
    const std::string key = absl::StrCat(i);
    const storage::EntryView entry{kNs, static_cast<Revision>(i + 1), kNever, key, value};
    status = load->Add({&entry, 1});
  }
  status.Update(load->Publish(Meta(5)));
  CHECK(absl::IsResourceExhausted(status));
  load.reset();
  CHECK(All(engine).size() == 1);
}

TEST_CASE("a load goes on when connections are cut, and holds all that was added") {
  RedisServer server;
  KeyspaceEngine engine(server);
  auto load = Value(engine.BeginBulkLoad());
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::string> keys;
    for (int i = 0; i < 500; ++i) keys.push_back(absl::StrCat("k", round * 500 + i));
    std::vector<storage::EntryView> entries;
    for (const std::string& key : keys) entries.push_back({kNs, 1, kNever, key, key});
    Must(load->Add(entries));
    engine.Ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"});
  }
  Must(load->Publish(Meta(5)));
  load.reset();
  const std::vector<Row> rows = All(engine);
  REQUIRE(rows.size() == kRounds * 500);
  for (const Row& row : rows) REQUIRE(row.key == row.value);
  CHECK(engine.ledger().Get(kNs).entries == kRounds * 500);
}

TEST_CASE("a namespace that is placed together is loaded together") {
  RedisServer server;
  KeyspaceEngine engine(server);
  auto load = Value(engine.BeginBulkLoad());
  load->SetPlacement(kNs, storage::Placement::kTogether);
  LoadSome(*load, 20);
  Must(load->Publish(Meta(5)));
  load.reset();
  CHECK(Why(Atomic(engine, {Put("loaded1", "a"), Put("loaded2", "b")})) == "OK");
  CHECK(All(engine).size() == 20);
  CHECK(engine.Ask({"ZCARD", engine.IndexName(kNs, "any")}) == "20");
}

}  // namespace
}  // namespace tarn::testing
