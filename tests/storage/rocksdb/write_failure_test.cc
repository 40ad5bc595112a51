// What happens when the disk fails a commit: nobody is told what is not so, reads go on, and the
// engine comes back by itself when it can.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/storage/rocksdb/fault_env.h"
#include "tests/storage/rocksdb/fixture.h"

namespace tarn::testing {
namespace {

using Fault = FaultEnv::Fault;

constexpr char kUnknown[] = "UNKNOWN OUTCOME_UNKNOWN";
constexpr char kRefused[] = "UNAVAILABLE ENGINE_UNAVAILABLE";
constexpr int64_t kLongPauseMs = 60'000;  // Longer than between any two attempts to recover.

// A store whose log can fail, with one entry.
class FailingStore : public RocksStore {
 public:
  explicit FailingStore(storage::Durability durability = storage::Durability::kOs) {
    env = faults.env();
    options.durability = durability;
    MustOpen();
    MustDo(Put("old", "v"));
  }
  ~FailingStore() { Close(); }

  FaultEnv faults;
};

TEST_CASE("A commit that fails has an unknown outcome, and the ledger says what the store holds") {
  FailingStore store;
  store.faults.Fail(Fault::kDiskFull, ".log");
  CHECK(store.Try(Put("new", "value")) == kUnknown);
  CHECK(store.Usage() == "1 entries, 4 bytes");
  CHECK(store.Content() == std::vector<std::string>{"old=v"});
}

TEST_CASE("While the log fails no write is taken, and nothing of it is done") {
  const Fault fault = GENERATE(Fault::kDiskFull, Fault::kAppendFails);
  FailingStore store;
  store.faults.Fail(fault, "");
  CHECK(store.Try(Put("first", "v")) == kUnknown);
  for (const Op& op : {Put("new", "v"), Delete("old"), Add("n", 1), Touch("old", kNever)}) {
    CHECK(store.Try(op) == kRefused);
  }
  CHECK(Brief(store.Atomic({Put("new", "v"), Get("old")}).status) == kRefused);
  CHECK(store.Usage() == "1 entries, 4 bytes");
  const storage::EngineStats stats = store.engine().Stats();
  CHECK_FALSE(stats.writable);
  CHECK(stats.errors > 0);
}

TEST_CASE("While the log fails reads, scans and snapshots go on") {
  FailingStore store;
  store.faults.Fail(Fault::kAppendFails, ".log");
  store.Do(Put("new", "v"));
  CHECK(store.Do(Get("old")).value == "v");
  CHECK_FALSE(store.Do(Get("new")).found);
  const auto read =
      Submit(store.engine(), BatchMode::kAtomic, {Get("old"), Get("new")}, ReadOrder::kSubmitted);
  CHECK(read->Wait().results.at(0).found);
  CHECK(store.Content() == std::vector<std::string>{"old=v"});
}

TEST_CASE("An independent batch on a failing log refuses its writes and answers its reads") {
  FailingStore store;
  store.faults.Fail(Fault::kAppendFails, ".log");
  store.Do(Put("new", "v"));
  const BatchAnswer answer = Independent(store.engine(), {Put("a", "1"), Get("old")});
  REQUIRE(answer.results.size() == 2);
  CHECK(Brief(answer.results[0].status) == kRefused);
  CHECK(answer.results[1].value == "v");
}

TEST_CASE("When the disk has space again the engine takes writes by itself") {
  FailingStore store;
  store.faults.Fail(Fault::kDiskFull, ".log");
  CHECK(store.Try(Put("lost", "v")) == kUnknown);
  store.faults.Heal();
  store.clock().Advance(kLongPauseMs);
  CHECK(store.Try(Put("new", "v")) == "OK");
  CHECK(store.engine().Stats().writable);
  CHECK(store.Content() == std::vector<std::string>{"new=v", "old=v"});
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
  store.Reopen();
  CHECK(store.Content() == std::vector<std::string>{"new=v", "old=v"});
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
}

TEST_CASE("It tries again only after a pause") {
  FailingStore store;
  store.faults.Fail(Fault::kDiskFull, ".log");
  CHECK(store.Try(Put("lost", "v")) == kUnknown);
  store.faults.Heal();
  CHECK(store.Try(Put("refused", "v")) == kRefused);
  store.clock().Advance(kLongPauseMs);
  CHECK(store.Try(Put("new", "v")) == "OK");
}

TEST_CASE("It comes back however often it tried in vain") {
  // The log fails: each attempt seems to succeed. Everything: none does. The manifest: the database
  // is opened for reading only in between.
  const std::string part = GENERATE(".log", "", "MANIFEST");
  INFO("failing: " << part);
  FailingStore store;
  store.faults.Fail(Fault::kDiskFull, ".log");
  CHECK(store.Try(Put("lost", "v")) == kUnknown);
  store.faults.Fail(Fault::kDiskFull, part);
  for (int i = 0; i < 4; ++i) {
    store.clock().Advance(kLongPauseMs);
    const std::string tried = store.Try(Put("lost", "v"));
    CHECK((tried == kUnknown || tried == kRefused));
    CHECK(store.Do(Get("old")).value == "v");
    CHECK(store.Content() == std::vector<std::string>{"old=v"});
  }
  store.faults.Heal();
  store.clock().Advance(kLongPauseMs);
  CHECK(store.Try(Put("new", "v")) == "OK");
  CHECK(store.Content() == std::vector<std::string>{"new=v", "old=v"});
  CHECK(store.Usage() == "2 entries, 8 bytes");
  store.Reopen();
  CHECK(store.Content() == std::vector<std::string>{"new=v", "old=v"});
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
}

TEST_CASE("Nothing is tried while the disk has too little space for it") {
  FailingStore store;
  store.options.min_free_disk_bytes = 0;
  store.Reopen();
  store.faults.Fail(Fault::kDiskFull, ".log");
  CHECK(store.Try(Put("lost", "v")) == kUnknown);
  store.faults.Heal();
  store.disk().SetFree(1 << 20);
  store.clock().Advance(kLongPauseMs);
  CHECK(store.Try(Put("new", "v")) == kRefused);
  store.disk().SetFree(1 << 30);
  store.clock().Advance(kLongPauseMs);
  CHECK(store.Try(Put("new", "v")) == "OK");
}

TEST_CASE("A disk that fails is not written to any more, until the engine is opened again") {
  const Fault fault = GENERATE(Fault::kAppendFails, Fault::kSyncFails);
  FailingStore store(storage::Durability::kDisk);
  store.faults.Fail(fault, ".log");
  CHECK(store.Try(Put("lost", "v")) == kUnknown);
  store.faults.Heal();
  store.clock().Advance(kLongPauseMs);
  CHECK(store.Try(Put("new", "v")) == kRefused);
  CHECK(store.Do(Get("old")).found);
  store.Reopen();
  CHECK(store.Try(Put("new", "v")) == "OK");
}

TEST_CASE("Scans under way end when the database is opened again, and may begin anew") {
  FailingStore store;
  const auto snapshot = Value(store.engine().OpenSnapshot(storage::SnapshotPurpose::kScan));
  Reader reader(*snapshot, {kNs, "", ""});
  store.faults.Fail(Fault::kDiskFull, ".log");
  CHECK(store.Try(Put("lost", "v")) == kUnknown);
  store.faults.Heal();
  store.clock().Advance(kLongPauseMs);
  CHECK(store.Try(Put("new", "v")) == "OK");
  CHECK(Brief(reader.Next({}, kStart).status) == "ABORTED SNAPSHOT_EXPIRED");
  CHECK(store.Content().size() == 2);
}

TEST_CASE("Readers, scans and writers on many threads survive a disk that is full now and then") {
  FailingStore store;
  for (int i = 0; i < 200; ++i) store.MustDo(Put(absl::StrCat("key", i), "v"));
  std::atomic<int> wrong{0};
  std::atomic<bool> done{false};
  const int rounds = static_cast<int>(Count(10, 200));
  InParallel(4, [&](int thread) {
    if (thread == 0) {
      for (int i = 0; i < rounds; ++i) {
        store.faults.Fail(Fault::kDiskFull, ".log");
        store.Try(Put("lost", "v"));
        store.faults.Heal();
        store.clock().Advance(kLongPauseMs);
        if (store.Try(Put("new", absl::StrCat(i))) != "OK") ++wrong;
      }
      done = true;
    }
    while (!done) {
      const Answer read = store.Do(Get("key7"));
      if (read.status.ok() ? !read.found : Brief(read.status) != kRefused) ++wrong;
      const auto snapshot = store.engine().OpenSnapshot(storage::SnapshotPurpose::kScan);
      if (!snapshot.ok()) continue;
      const PageCopy page = Reader(**snapshot, {kNs, "", ""}).Next({}, kStart);
      if (page.status.ok() ? page.rows.size() < 201
                           : Brief(page.status) != "ABORTED SNAPSHOT_EXPIRED") {
        ++wrong;
      }
    }
  });
  CHECK(wrong == 0);
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
}

TEST_CASE("Revisions go on rising over a failed commit") {
  FailingStore store;
  const Revision before = store.Do(Get("old")).revision;
  store.faults.Fail(Fault::kDiskFull, ".log");
  store.Do(Put("lost", "v"));
  store.faults.Heal();
  store.clock().Advance(kLongPauseMs);
  CHECK(store.Do(Put("new", "v")).revision > before);
  CHECK(store.engine().Stats().revision == store.Do(Get("new")).revision);
}

TEST_CASE("A commit whose sync fails is there after a restart or not, and accounts agree") {
  const Fault fault = GENERATE(Fault::kSyncFails, Fault::kSyncDiskFull);
  FailingStore store(storage::Durability::kDisk);
  store.faults.Fail(fault, ".log");
  CHECK(store.Try(Put("new", "value")) == kUnknown);
  CHECK(store.Usage() == "1 entries, 4 bytes");
  CHECK(store.Content() == std::vector<std::string>{"old=v"});
  store.Close();
  store.faults.Heal();
  store.MustOpen();
  CHECK(store.Do(Get("old")).found);
  CHECK(store.Do(Get("new")).found == (store.Usage() == "2 entries, 12 bytes"));
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
}

TEST_CASE("A sync that failed for want of space is settled when it has recovered") {
  FailingStore store(storage::Durability::kDisk);
  store.faults.Fail(Fault::kSyncDiskFull, ".log");
  CHECK(store.Try(Put("lost", "v")) == kUnknown);
  store.faults.Heal();
  store.clock().Advance(kLongPauseMs);
  CHECK(store.Try(Put("new", "v")) == "OK");
  const std::vector<std::string> settled = store.Content();
  CHECK(settled.back() == "old=v");
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
  store.Reopen();
  CHECK(store.Content() == settled);
}

TEST_CASE("Whoever shares a failed commit is told what is true for him") {
  FailingStore store;
  Gate gate(store.engine());
  const auto changes = Submit(store.engine(), BatchMode::kAtomic, {Put("a", "1")});
  const auto changes_nothing = Submit(store.engine(), BatchMode::kAtomic, {Delete("missing")});
  const auto sees = Submit(store.engine(), BatchMode::kAtomic, {Get("a")}, ReadOrder::kSubmitted);
  const auto lost_race = Submit(store.engine(), BatchMode::kAtomic, {Put("a", "2").IfAbsent()});
  store.faults.Fail(Fault::kDiskFull, ".log");
  gate.Open();
  CHECK(Brief(changes->Wait().status) == kUnknown);
  CHECK(Brief(changes_nothing->Wait().status) == kRefused);
  CHECK(Brief(sees->Wait().status) == kRefused);
  CHECK(Brief(lost_race->Wait().status) == kRefused);
}

TEST_CASE("The store's own records are not written either while the log fails") {
  FailingStore store;
  store.faults.Fail(Fault::kAppendFails, ".log");
  CHECK_FALSE(store.engine().WriteMeta({std::string(32, 'b'), 9}).ok());
  store.clock().Advance(10);
  CHECK(store.engine().ReadMeta().value()->incarnation == 1);
}

TEST_CASE("A sweep that fails removes nothing, and is done later") {
  FailingStore store;
  store.MustDo(Put("temporary", "v").Until(kStart + 5));
  store.clock().Advance(10);
  store.faults.Fail(Fault::kDiskFull, ".log");
  CHECK_FALSE(store.engine().SweepExpired(10).ok());
  CHECK(store.Usage() == "2 entries, 14 bytes");
  store.faults.Heal();
  store.clock().Advance(kLongPauseMs);
  store.MustDo(Put("old", "w"));  // Brings it back.
  CHECK(Value(store.engine().SweepExpired(10)).removed == 1);
  CHECK(store.Usage() == "1 entries, 4 bytes");
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
}

}  // namespace
}  // namespace tarn::testing
