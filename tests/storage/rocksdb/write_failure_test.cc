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

  std::string Try(Op op) { return Brief(Do(std::move(op)).status); }

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

TEST_CASE("It tries at once, and then only after a pause") {
  FailingStore store;
  store.faults.Fail(Fault::kDiskFull, "");
  CHECK(store.Try(Put("lost", "v")) == kUnknown);
  CHECK(store.Try(Put("refused", "v")) == kRefused);
  store.faults.Heal();
  CHECK(store.Try(Put("refused", "v")) == kRefused);
  store.clock().Advance(kLongPauseMs);
  CHECK(store.Try(Put("new", "v")) == "OK");
}

TEST_CASE("It comes back however often it tried in vain") {
  FailingStore store;
  // The tables are written, the log is not: each attempt seems to succeed.
  store.faults.Fail(Fault::kDiskFull, GENERATE(".log", ""));
  for (int i = 0; i < 10; ++i) {
    const std::string tried = store.Try(Put("lost", "v"));
    CHECK((tried == kUnknown || tried == kRefused));
    store.clock().Advance(kLongPauseMs);
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

TEST_CASE("A log that fails before anything was written ends all writes, and nothing else") {
  FaultEnv faults;
  RocksStore store;
  store.env = faults.env();
  store.MustOpen();
  store.MustDo(Put("old", "v"));
  store.Reopen();
  store.Close();
  faults.Fail(Fault::kDiskFull, ".log");
  CHECK_FALSE(store.Open().ok());  // The new incarnation cannot be written.
  faults.Heal();
  store.clock().Advance(kLongPauseMs);
  CHECK(Brief(store.Do(Put("new", "v")).status) == kRefused);
  CHECK(store.Do(Get("old")).found);
  store.Reopen();
  CHECK(Brief(store.Do(Put("new", "v")).status) == "OK");
  store.Close();
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

TEST_CASE("A sync that failed for want of space is settled as not done when it has recovered") {
  FailingStore store(storage::Durability::kDisk);
  store.faults.Fail(Fault::kSyncDiskFull, ".log");
  CHECK(store.Try(Put("lost", "v")) == kUnknown);
  store.faults.Heal();
  store.clock().Advance(kLongPauseMs);
  CHECK(store.Try(Put("new", "v")) == "OK");
  CHECK_FALSE(store.Do(Get("lost")).found);
  store.Reopen();
  CHECK_FALSE(store.Do(Get("lost")).found);
  CHECK(store.Do(Get("new")).found);
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
