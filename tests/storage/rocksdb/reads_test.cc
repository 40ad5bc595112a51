// Reads that find what they need in memory, and those that do not.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/storage/rocksdb/fixture.h"

namespace tarn::testing {
namespace {

// A store that has everything on the disk and nothing in memory, and an executor that waits.
class ColdStore : public RocksStore {
 public:
  ColdStore() {
    MustOpen();
    for (int i = 0; i < 100; ++i) MustDo(Put(Key(i), std::string(1'000, 'v')));
    Close();
    executor = &waiting;
    MustOpen();
  }

  static std::string Key(int i) { return absl::StrCat("key", 100 + i); }
  std::shared_ptr<Pending> Read(std::vector<Op> ops, BatchMode mode = BatchMode::kAtomic,
                                ReadOrder order = ReadOrder::kCommitted) {
    return Submit(engine(), mode, std::move(ops), order);
  }

  ManualExecutor waiting;
};

TEST_CASE("A read of what is in memory is answered at once, one of what is not by the executor") {
  ColdStore store;
  const auto cold = store.Read({Get(ColdStore::Key(1))});
  CHECK_FALSE(cold->done());
  CHECK(store.engine().Stats().queued_batches == 1);
  CHECK(store.waiting.RunAll() == 1);
  CHECK(cold->Wait().results.at(0).found);
  const auto warm = store.Read({Get(ColdStore::Key(1))});
  CHECK(warm->done());
  CHECK(store.engine().Stats().queued_batches == 0);
}

TEST_CASE("Several keys at once are read from the disk together") {
  const BatchMode mode = GENERATE(BatchMode::kAtomic, BatchMode::kIndependent);
  ColdStore store;
  std::vector<Op> gets;
  for (int i = 0; i < 100; i += 7) gets.push_back(Get(ColdStore::Key(i)));
  gets.push_back(Get("missing"));
  const auto cold = store.Read(gets, mode);
  CHECK_FALSE(cold->done());
  CHECK(store.waiting.RunAll() == 1);
  for (size_t i = 0; i + 1 < gets.size(); ++i) {
    CHECK(cold->Wait().results.at(i).value == std::string(1'000, 'v'));
  }
  CHECK_FALSE(cold->Wait().results.back().found);
  CHECK(store.Read(gets, mode)->done());
}

TEST_CASE("Atomic reads see one state while it changes, from memory and from the disk") {
  RocksStore store;
  store.MustOpen();
  const auto all = [](const std::string& value) {
    std::vector<Op> puts;
    for (int i = 0; i < 40; ++i) puts.push_back(Put(ColdStore::Key(i), value));
    return puts;
  };
  store.Atomic(all("0"));
  const int rounds = static_cast<int>(Count(5, 200));
  std::atomic<int> torn{0};
  for (int round = 0; round < rounds; ++round) {
    store.Reopen();  // So that the first reads of each round come from the disk.
    std::atomic<bool> done{false};
    InParallel(3, [&](int thread) {
      for (int i = 0; thread == 0 && i < 200; ++i) store.Atomic(all(absl::StrCat(round, ".", i)));
      if (thread == 0) done = true;
      while (!done) {
        std::vector<Op> gets;
        for (int i = 0; i < 40; ++i) gets.push_back(Get(ColdStore::Key(i)));
        const BatchAnswer answer = store.Atomic(std::move(gets));
        for (const Answer& one : answer.results) torn += one.value != answer.results[0].value;
      }
    });
  }
  CHECK(torn == 0);
}

TEST_CASE("A read that the executor has no place for fails with what the executor says") {
  ColdStore store;
  store.waiting.RefuseAll();
  const auto refused = store.Read({Get(ColdStore::Key(1))});
  CHECK(refused->done());
  CHECK(Brief(refused->Wait().status) == "RESOURCE_EXHAUSTED QUEUE_FULL");
  CHECK(refused->Wait().results.empty());
}

TEST_CASE("A read in its caller's order needs no executor, and no later write overtakes it") {
  ColdStore store;
  store.waiting.RefuseAll();
  const auto read = store.Read({Get(ColdStore::Key(1))}, BatchMode::kAtomic, ReadOrder::kSubmitted);
  const auto write = store.Read({Put(ColdStore::Key(1), "new")});
  CHECK(read->Wait().results.at(0).value == std::string(1'000, 'v'));
  CHECK(Brief(write->Wait().status) == "OK");
}

TEST_CASE("Writes read what they replace from the disk, without the executor") {
  ColdStore store;
  store.waiting.RefuseAll();
  CHECK(store.Do(Append(ColdStore::Key(2), "!")).size == 1'001);
  CHECK(Brief(store.Do(Put(ColdStore::Key(3), "v").IfAbsent()).status) ==
        "FAILED_PRECONDITION ALREADY_EXISTS");
  CHECK(store.Usage() == "100 entries, 100601 bytes");
}

TEST_CASE("A late read may still be waiting when the engine is told to close") {
  ColdStore store;
  const auto cold = store.Read({Get(ColdStore::Key(1))});
  CHECK(store.waiting.RunAll() == 1);
  store.Close();
  CHECK(cold->Wait().results.at(0).found);
}

// --- scans ---

class ColdScan : public ColdStore {
 public:
  ColdScan() : snapshot(Value(engine().OpenSnapshot(storage::SnapshotPurpose::kScan))) {}
  std::unique_ptr<storage::Cursor> Walk(const storage::ScanOptions& scan = {}) {
    return snapshot->NewCursor({kNs, "", ""}, scan);
  }
  std::unique_ptr<storage::Snapshot> snapshot;
};

// A page on its way.
struct Asked {
  bool done = false;
  std::string status;
  std::vector<std::string> keys;
  bool at_end = false;
};

std::shared_ptr<Asked> Ask(storage::Cursor& cursor, const storage::PageBudget& budget, UnixMs now) {
  auto asked = std::make_shared<Asked>();
  cursor.Next(budget, now, [asked](const absl::Status& status, storage::Page& page) {
    asked->done = true;
    asked->status = Brief(status);
    for (const storage::EntryView& entry : page.entries) asked->keys.emplace_back(entry.key);
    asked->at_end = page.at_end;
  });
  return asked;
}

TEST_CASE("A scan of what is not in memory goes on in the executor, just where it stopped") {
  const auto direction =
      GENERATE(storage::ScanDirection::kAscending, storage::ScanDirection::kDescending);
  ColdScan store;
  const auto cursor = store.Walk({direction, storage::ScanContent::kEntries});
  std::vector<std::string> keys;
  size_t late = 0;
  while (true) {
    const auto page = Ask(*cursor, {7, 1 << 20}, store.clock().Now());
    late += store.waiting.RunAll();
    REQUIRE(page->status == "OK");
    keys.insert(keys.end(), page->keys.begin(), page->keys.end());
    if (page->at_end) break;
    REQUIRE(page->keys.size() == 7);
  }
  CHECK(late > 0);
  REQUIRE(keys.size() == 100);
  if (direction == storage::ScanDirection::kDescending) std::reverse(keys.begin(), keys.end());
  for (int i = 0; i < 100; ++i) CHECK(keys[static_cast<size_t>(i)] == ColdStore::Key(i));
}

TEST_CASE("A scan that finds the first half in memory misses nothing of the second") {
  ColdScan store;
  for (int i = 0; i < 50; ++i) {
    store.Read({Get(ColdStore::Key(i))});
    store.waiting.RunAll();
  }
  const auto cursor = store.Walk();
  const auto page = Ask(*cursor, {1'000, 1 << 20}, store.clock().Now());
  CHECK_FALSE(page->done);
  store.waiting.RunAll();
  CHECK(page->keys.size() == 100);
  CHECK(page->at_end);
}

TEST_CASE("A scan in memory is answered at once, but not for ever deeper") {
  ColdScan store;
  {
    const auto warming = store.Walk();
    Ask(*warming, {1'000, 1 << 20}, store.clock().Now());
    store.waiting.RunAll();
  }
  const auto cursor = store.Walk();
  int at_once = 0;
  int late = 0;
  for (int i = 0; i < 99; ++i) {
    const auto page = Ask(*cursor, {1, 1 << 20}, store.clock().Now());
    ++(page->done ? at_once : late);
    store.waiting.RunAll();
    REQUIRE(page->keys == std::vector<std::string>{ColdStore::Key(i)});
  }
  CHECK(late == 3);
  CHECK(at_once == 96);
}

TEST_CASE("A page that the executor has no place for fails, and may be asked for again") {
  ColdScan store;
  ManualExecutor& executor = store.waiting;
  const auto cursor = store.Walk();
  executor.RefuseAll();
  CHECK(Ask(*cursor, {}, store.clock().Now())->status == "RESOURCE_EXHAUSTED QUEUE_FULL");
  executor.AcceptAll();
  const auto page = Ask(*cursor, {1'000, 1 << 20}, store.clock().Now());
  executor.RunAll();
  CHECK(page->keys.size() == 100);
}

TEST_CASE("A page that was half full when the executor had no place is given whole later") {
  ColdScan store;
  for (int i = 0; i < 50; ++i) {
    store.Read({Get(ColdStore::Key(i))});
    store.waiting.RunAll();
  }
  const auto cursor = store.Walk();
  store.waiting.RefuseAll();
  const auto refused = Ask(*cursor, {1'000, 1 << 20}, store.clock().Now());
  CHECK(refused->status == "RESOURCE_EXHAUSTED QUEUE_FULL");
  CHECK(refused->keys.empty());
  store.waiting.AcceptAll();
  const auto page = Ask(*cursor, {1'000, 1 << 20}, store.clock().Now());
  store.waiting.RunAll();
  CHECK(page->keys.size() == 100);
}

TEST_CASE("Expired entries are passed over on the caller's thread only in small numbers") {
  RocksStore store;
  ManualExecutor executor;
  store.executor = &executor;
  store.MustOpen();
  for (int i = 0; i < 5'000; ++i) {
    Submit(store.engine(), BatchMode::kAtomic,
           {Put(absl::StrCat("key", 10'000 + i), "v").Until(kStart + 1)});
  }
  store.MustDo(Put("last", "v"));
  const auto snapshot = Value(store.engine().OpenSnapshot(storage::SnapshotPurpose::kScan));
  const auto cursor = snapshot->NewCursor({kNs, "", ""}, {});
  const auto page = Ask(*cursor, {}, kStart + 1);
  CHECK_FALSE(page->done);
  executor.RunAll();
  CHECK(page->keys == std::vector<std::string>{"last"});
  CHECK(page->at_end);
}

}  // namespace
}  // namespace tarn::testing
