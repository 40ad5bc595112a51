// Money moves between accounts, each time in one atomic batch, while checkpoints are written. In
// every one of them there is exactly as much as there always was.
#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/checkpoint/daemon.h"
#include "tests/checkpoint/engine_in_redis.h"
#include "tests/checkpoint/engines.h"
#include "tests/support/status.h"

namespace tarn::checkpoint {
namespace {

using testing::Add;
using testing::Daemon;
using testing::EngineInRedis;
using testing::EngineOnDisk;
using testing::FileRow;
using testing::kStart;
using testing::kStoreA;
using testing::Machine;
using testing::OpenFile;
using testing::Put;
using testing::RowsOf;
using testing::Value;

constexpr int kAccounts = 2000;
constexpr int64_t kBalance = 1000;
constexpr int kTellers = 3;

// Two namespaces with half of the accounts each; every transfer is between the two.
class Bank {
 public:
  Bank(storage::Engine& engine, base::ManualClock& clock) : engine_(engine), clock_(clock) {
    for (int i = 0; i < kAccounts; ++i)
      Must(testing::Do(engine_, Put(Account(i), absl::StrCat(kBalance)).In(1 + i % 2)).status);
  }
  ~Bank() { Close(); }

  void Open() {
    for (int i = 0; i < kTellers; ++i)
      tellers_.emplace_back([this, i] { Work(testing::Seed() + static_cast<uint32_t>(i)); });
  }
  void Close() {
    stop_ = true;
    for (std::thread& teller : tellers_) teller.join();
    tellers_.clear();
  }

  // The revision of a transfer that was acknowledged before this was called.
  storage::Revision acknowledged() const { return acknowledged_; }
  uint64_t transfers() const { return transfers_; }

  static std::string Account(int number) {
    return absl::StrCat("account/", absl::Dec(number, absl::kZeroPad5));
  }

 private:
  static void Must(const absl::Status& status) {
    if (!status.ok()) throw std::runtime_error(status.ToString());
  }

  void Work(uint32_t seed) {
    std::mt19937 random(seed);
    while (!stop_) {
      const int from = static_cast<int>(random() % (kAccounts / 2)) * 2;
      const int to = static_cast<int>(random() % (kAccounts / 2)) * 2 + 1;
      const auto amount = static_cast<int64_t>(random() % 100);
      const auto answer = testing::Atomic(
          engine_, {Add(Account(from), -amount).KeepDeadline().In(1),
                    Add(Account(to), amount).KeepDeadline().In(2),
                    // What expires at once, or soon, and is written all the time.
                    Put(absl::StrCat("note/", random() % 50), "x")
                        .In(1)
                        .Until(clock_.Now() + static_cast<int64_t>(random() % 20))});
      Must(answer.status);
      ++transfers_;
      storage::Revision seen = acknowledged_;
      while (seen < answer.revision &&
             !acknowledged_.compare_exchange_weak(seen, answer.revision)) {
      }
      if (transfers_ % 16 == 0) clock_.Advance(1);
    }
  }

  storage::Engine& engine_;
  base::ManualClock& clock_;
  std::atomic<bool> stop_{false};
  std::atomic<storage::Revision> acknowledged_{0};
  std::atomic<uint64_t> transfers_{0};
  std::vector<std::thread> tellers_;
};

// Sum and number of the accounts.
std::pair<int64_t, int> Audit(const std::vector<FileRow>& rows) {
  int64_t sum = 0;
  int accounts = 0;
  for (const FileRow& row : rows) {
    if (row.key.rfind("account/", 0) != 0) continue;
    int64_t balance = 0;
    if (!absl::SimpleAtoi(row.value, &balance)) throw std::runtime_error("no balance");
    sum += balance;
    ++accounts;
  }
  return {sum, accounts};
}

void CheckFile(const CheckpointReader& reader) {
  const std::vector<FileRow> rows = RowsOf(reader);
  CHECK(Audit(rows) == std::pair<int64_t, int>(kAccounts * kBalance, kAccounts));
  for (const FileRow& row : rows) {
    if (row.deadline != base::kNever) REQUIRE(row.deadline > reader.header().as_of);
    REQUIRE(row.revision <= reader.header().revision);
  }
}

// Into a new memory engine; the sum is taken of what that holds.
void CheckRestored(Machine& machine, const CheckpointId& id) {
  const storage::StoreMeta meta{kStoreA, 8};
  testing::TestEngine engine(machine.clock, meta);
  testing::Recorder recorder;
  auto catalog = Value(Catalog::Open(machine.files, "c", machine.clock, {.threads = 2}));
  const Restorer restorer({*engine, *catalog, machine.clock, recorder, 2});
  Progress progress;
  LoadedCheckpoint loaded = Value(restorer.Load(id, progress));
  REQUIRE(testing::Brief(std::move(loaded).Publish(meta, progress)) == "OK");
  std::vector<FileRow> rows;
  for (const testing::Row& row : testing::RowsOf(*engine, {1, 2}))
    rows.push_back({"", row.key, row.value});
  CHECK(Audit(rows) == std::pair<int64_t, int>(kAccounts * kBalance, kAccounts));
}

void RunBank(storage::Engine& engine, storage::UsageLedger& ledger, Machine& machine,
             uint64_t checkpoints) {
  CheckpointerOptions options;
  options.writer = {.block_bytes = 4096, .threads = 2};
  options.retention = {.newest = 1000, .hours = 0, .days = 0};
  Daemon daemon(machine, engine, ledger, {kStoreA, 7}, options);
  Bank bank(engine, machine.clock);
  bank.Open();
  std::vector<CheckpointId> ids;
  uint64_t transfers = 0;
  for (uint64_t i = 0; i < checkpoints; ++i) {
    while (bank.transfers() < transfers + 50) std::this_thread::yield();
    transfers = bank.transfers();
    const storage::Revision before = bank.acknowledged();
    const CreateReport report = Value(daemon.Create());
    CHECK(report.info.header.revision >= before);
    ids.push_back(report.info.id);
    CheckFile(*OpenFile(machine.files, report.info.path, {.threads = 2}));
  }
  bank.Close();
  for (const CheckpointId& id : ids) CheckRestored(machine, id);
}

TEST_CASE("every checkpoint of a bank whose money moves has all of it, on the memory engine") {
  Machine machine;
  testing::TestEngine engine(machine.clock);
  engine.AddNamespace("checking", 1);
  engine.AddNamespace("savings", 2);
  RunBank(*engine, engine.ledger(), machine, testing::Count(20, 500));
}

TEST_CASE("every checkpoint of a bank whose money moves has all of it, on the rocksdb engine") {
  Machine machine;
  EngineOnDisk engine(machine.clock, {kStoreA, 7});
  testing::AddNamespace(*engine, "checking", 1);
  testing::AddNamespace(*engine, "savings", 2);
  RunBank(*engine, engine.ledger(), machine, testing::Count(10, 200));
}

TEST_CASE("every checkpoint of a bank whose money moves has all of it, on the redis engine") {
  Machine machine;
  EngineInRedis engine(machine.clock, {kStoreA, 7});
  testing::AddNamespace(*engine, "checking", 1);
  testing::AddNamespace(*engine, "savings", 2);
  RunBank(*engine, engine.ledger(), machine, testing::Count(10, 200));
}

}  // namespace
}  // namespace tarn::checkpoint
