// What else is the RocksDB engine's own: its records, its index, its figures.
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/storage/rocksdb/fixture.h"

namespace tarn::testing {
namespace {

Op RandomOperation(std::mt19937& random, UnixMs now) {
  const auto below = [&random](int limit) { return static_cast<int>(random() % limit); };
  const std::string key = absl::StrCat("key", below(40));
  const auto ns = static_cast<NamespaceId>(1 + below(3));
  const UnixMs deadline = below(2) == 0 ? kNever : now + 1 + below(50);
  switch (below(6)) {
    case 0:
      return Put(key, std::string(static_cast<size_t>(below(50)), 'v')).Until(deadline).In(ns);
    case 1:
      return Delete(key).In(ns);
    case 2:
      return Take(key).In(ns);
    case 3:
      return Append(key, "suffix").KeepDeadline().Until(deadline).In(ns);
    case 4:
      return Touch(key, deadline).In(ns);
    default:
      return Put(key, "v").IfAbsent().Until(deadline).In(ns);
  }
}

TEST_CASE("Usage and index agree with the entries after anything, sweeping and restarts included") {
  std::mt19937 random(Seed());
  RocksStore store;
  store.MustOpen();
  const int rounds = static_cast<int>(Count(30, 2'000));
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < 100; ++i) {
      std::vector<Op> ops;
      for (unsigned n = 1 + random() % 4; n > 0; --n) {
        ops.push_back(RandomOperation(random, store.clock().Now()));
      }
      Independent(store.engine(), std::move(ops));
    }
    store.clock().Advance(static_cast<int64_t>(random() % 30));
    Value(store.engine().SweepExpired(1 + random() % 40));
    REQUIRE(Brief(store.engine().CheckConsistency()) == "OK");
    if (random() % 5 == 0) {
      std::vector<std::string> before;
      for (NamespaceId ns = 1; ns < 4; ++ns) before.push_back(store.Usage(ns));
      store.Reopen();
      for (NamespaceId ns = 1; ns < 4; ++ns) CHECK(store.Usage(ns) == before[ns - 1]);
      REQUIRE(Brief(store.engine().CheckConsistency()) == "OK");
    }
  }
}

TEST_CASE("An entry that gets a deadline in the past after a sweep is swept by the next") {
  RocksStore store;
  store.MustOpen();
  store.clock().Advance(1'000);
  CHECK(Value(store.engine().SweepExpired(10)).removed == 0);
  store.MustDo(Put("k", "v").Until(kStart + 5));
  CHECK(Value(store.engine().SweepExpired(10)).removed == 1);
  CHECK(store.Usage() == "0 entries, 0 bytes");
}

TEST_CASE("Sweeping in small steps removes the earliest first, and says when it is done") {
  RocksStore store;
  store.MustOpen();
  for (int i = 0; i < 5; ++i) store.MustDo(Put(absl::StrCat(i), "v").Until(kStart + 10 - i));
  store.clock().Advance(8);
  auto result = Value(store.engine().SweepExpired(2));
  CHECK(result.removed == 2);
  CHECK(result.more);
  result = Value(store.engine().SweepExpired(2));
  CHECK(result.removed == 1);
  CHECK_FALSE(result.more);
  CHECK(store.Usage() == "2 entries, 4 bytes");
}

TEST_CASE("An incarnation below the newest commit's cannot be started") {
  RocksStore store;
  store.MustOpen();
  store.MustDo(Put("k", "v"));
  store.Close();
  base::ManualClock clock(kStart);
  storage::UsageLedger ledger;
  base::ThreadPool threads({.name = "test"});
  const auto engine =
      Value(storage::RocksDbEngine::Open(store.options, {clock, threads, ledger, store.disk()}));
  CHECK(Brief(engine->WriteMeta({std::string(32, 'a'), 1})) == "FAILED_PRECONDITION");
  CHECK(Brief(engine->WriteMeta({std::string(32, 'a'), 2})) == "OK");
}

TEST_CASE("A namespace that is empty again leaves no record") {
  RocksStore store;
  store.MustOpen();
  store.MustDo(Put("k", "v").In(7));
  store.MustDo(Delete("k").In(7));
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");  // It counts the records, too.
}

TEST_CASE("The engine's figures speak of its memory and its disk") {
  RocksStore store;
  store.options.memory_bytes = 64 << 20;
  store.MustOpen();
  for (int i = 0; i < 100; ++i) store.MustDo(Put(absl::StrCat(i), std::string(10'000, 'v')));
  store.disk().SetFree(12'345'678'901);
  store.clock().Advance(1'000);
  store.MustDo(Put("k", "v"));
  const storage::EngineStats stats = store.engine().Stats();
  CHECK(stats.memory_bytes >= 1'000'000);
  CHECK(stats.memory_bytes <= stats.memory_limit_bytes);
  CHECK(stats.memory_limit_bytes == 64 << 20);
  CHECK(stats.disk_bytes >= 1'000'000);
  CHECK(stats.disk_free_bytes == 12'345'678'901);
  CHECK(stats.errors == 0);
  CHECK(stats.writable);
}

TEST_CASE("What an acknowledged write survives depends on the durability that was chosen") {
  RocksStore store;
  store.MustOpen();
  const std::string os(store.engine().durability());
  store.Close();
  store.options.durability = storage::Durability::kDisk;
  store.MustOpen();
  CHECK(store.engine().durability() != os);
  CHECK(store.engine().name() == "rocksdb");
}

TEST_CASE("A store with more than fits into its memory is read and written like any other") {
  RocksStore store;
  store.options.memory_bytes = 4 << 20;
  store.MustOpen();
  const int entries = static_cast<int>(Count(3'000, 100'000));
  const auto value = [](int i) { return absl::StrCat(i) + std::string(5'000, 'v'); };
  InParallel(4, [&](int thread) {
    for (int i = thread; i < entries; i += 4) store.MustDo(Put(absl::StrCat("key", i), value(i)));
  });
  std::atomic<int> wrong{0};
  InParallel(4, [&](int thread) {
    std::mt19937 random(Seed() + static_cast<unsigned>(thread));
    for (int i = 0; i < entries; ++i) {
      const int n = static_cast<int>(random() % static_cast<unsigned>(entries));
      if (store.Do(Get(absl::StrCat("key", n))).value != value(n)) ++wrong;
    }
  });
  CHECK(wrong == 0);
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
  CHECK(store.Content().size() == static_cast<size_t>(entries));
}

}  // namespace
}  // namespace tarn::testing
