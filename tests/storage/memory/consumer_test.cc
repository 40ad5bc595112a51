// What a checkpoint that reads everything once costs the memory engine, and that it stays exact.
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

using storage::ScanOptions;
using storage::ScanReading;
using storage::SnapshotPurpose;

constexpr int kKeys = 3'000;
constexpr ScanOptions kOnce{.reading = ScanReading::kOnce};
constexpr storage::PageBudget kSmallPage{64, 1 << 20};

std::string KeyOf(int i) { return absl::StrCat("key", 10'000 + i); }

void Fill(Subject& subject, const std::string& value = "old") {
  for (int i = 0; i < kKeys; ++i) subject.MustDo(Put(KeyOf(i), value));
}

// Overwrites in place and by another size, erases, and adds.
void ChangeAll(Subject& subject, const std::string& value) {
  for (int i = 0; i < kKeys; ++i) {
    if (i % 5 == 0) {
      subject.Do(Delete(KeyOf(i)));
    } else {
      subject.MustDo(Put(KeyOf(i), i % 2 == 0 ? value : value + value));
    }
    if (i % 7 == 0) subject.MustDo(Put(KeyOf(i) + "+", value));
  }
}

uint64_t KeptBytes(Subject& subject) { return subject.engine().Stats().snapshot_bytes; }

TEST_CASE("What is written behind a reading that is done once is not kept") {
  Subject subject;
  Fill(subject);
  const std::vector<Row> before = subject.All();
  const auto snapshot = subject.Snapshot();
  CHECK(Reader(*snapshot, {kNs, "", ""}, kOnce).Rest(kSmallPage, subject.now()) == before);
  ChangeAll(subject, "new");
  CHECK(KeptBytes(subject) == 0);
}

TEST_CASE("What was kept for a reading that is done once goes as it passes") {
  Subject subject;
  Fill(subject);
  const std::vector<Row> before = subject.All();
  const auto snapshot = subject.Snapshot();
  ChangeAll(subject, "new");
  CHECK(KeptBytes(subject) > kKeys * 20);
  CHECK(Reader(*snapshot, {kNs, "", ""}, kOnce).Rest(kSmallPage, subject.now()) == before);
  CHECK(KeptBytes(subject) == 0);
}

TEST_CASE("A reading that is done once is exact while everything changes under it") {
  Subject subject;
  Fill(subject);
  const std::vector<Row> before = subject.All();
  const auto snapshot = subject.Snapshot();
  Reader reader(*snapshot, {kNs, "", ""}, kOnce);
  std::vector<Row> rows;
  for (int page = 0;; ++page) {
    ChangeAll(subject, absl::StrCat("page", page));
    const PageCopy copy = reader.Next({500, 1 << 20}, subject.now());
    REQUIRE(copy.status.ok());
    rows.insert(rows.end(), copy.rows.begin(), copy.rows.end());
    if (copy.at_end) break;
  }
  CHECK(rows == before);
  CHECK(KeptBytes(subject) == 0);
}

TEST_CASE("Ranges that are read once, each by a cursor of its own, are exact together") {
  Subject subject;
  Fill(subject);
  const std::vector<Row> before = subject.All();
  const auto snapshot = subject.Snapshot();
  const std::string middle = KeyOf(kKeys / 2);
  Reader first(*snapshot, {kNs, "", middle}, kOnce);
  Reader second(*snapshot, {kNs, middle, ""}, kOnce);
  const PageCopy some = second.Next({500, 1 << 20}, subject.now());
  ChangeAll(subject, "new");
  std::vector<Row> rows = first.Rest(kSmallPage, subject.now());
  rows.insert(rows.end(), some.rows.begin(), some.rows.end());
  const std::vector<Row> rest = second.Rest(kSmallPage, subject.now());
  rows.insert(rows.end(), rest.begin(), rest.end());
  CHECK(rows == before);
  CHECK(KeptBytes(subject) == 0);
}

TEST_CASE("A reading that is done once takes nothing from other snapshots") {
  Subject subject;
  Fill(subject);
  const auto older = subject.Snapshot(SnapshotPurpose::kScan);
  const std::vector<Row> oldest = subject.All();
  ChangeAll(subject, "middle");
  const std::vector<Row> middle = subject.All();
  const auto snapshot = subject.Snapshot();
  const auto newer = subject.Snapshot(SnapshotPurpose::kScan);
  ChangeAll(subject, "new");
  CHECK(Reader(*snapshot, {kNs, "", ""}, kOnce).Rest(kSmallPage, subject.now()) == middle);
  ChangeAll(subject, "newest");
  CHECK(ReadAll(*older, subject.now()) == oldest);
  CHECK(ReadAll(*newer, subject.now()) == middle);
}

TEST_CASE("What a reading that is done once has dropped does not hold up what scans leave") {
  Subject subject;
  Fill(subject);
  auto snapshot = subject.Snapshot();
  ChangeAll(subject, "middle");
  const std::vector<Row> middle = subject.All();
  auto reader = std::make_unique<Reader>(*snapshot, storage::KeyRange{kNs, "", ""}, kOnce);
  REQUIRE(reader->Next({kKeys / 2, 1 << 20}, subject.now()).status.ok());
  auto scan = subject.Snapshot(SnapshotPurpose::kScan);
  ChangeAll(subject, "new");
  REQUIRE(reader->Next({kKeys / 4, 1 << 20}, subject.now()).status.ok());
  CHECK(ReadAll(*scan, subject.now()) == middle);
  reader.reset();
  snapshot.reset();
  ChangeAll(subject, "newer");
  CHECK(ReadAll(*scan, subject.now()) == middle);
  const std::vector<Row> last = subject.All();
  scan.reset();
  while (KeptBytes(subject) > 0) subject.SweepAll();
  CHECK(subject.All() == last);
}

TEST_CASE("A key of many forms shows each snapshot its own, and the last one when all have gone") {
  Subject subject;
  std::vector<std::unique_ptr<storage::Snapshot>> snapshots;
  std::vector<std::vector<Row>> rows;
  const std::vector<Op> forms = {Put("k", "1"), Put("k", "22"), Delete("k"),   Put("k", "3"),
                                 Put("k", "4"), Delete("k"),    Put("k", "5"), Append("k", "+")};
  for (const Op& form : forms) {
    subject.MustDo(form);
    rows.push_back(subject.All());
    snapshots.push_back(subject.Snapshot(SnapshotPurpose::kScan));
  }
  subject.MustDo(Delete("k"));
  for (size_t oldest = 0; oldest < snapshots.size(); ++oldest) {
    for (size_t i = oldest; i < snapshots.size(); ++i)
      REQUIRE(ReadAll(*snapshots[i], subject.now()) == rows[i]);
    snapshots[oldest].reset();
    subject.SweepAll();
  }
  CHECK(KeptBytes(subject) == 0);
  CHECK(subject.All().empty());
}

TEST_CASE("Of two checkpoints that read once, both are exact") {
  Subject subject;
  Fill(subject);
  const std::vector<Row> first_rows = subject.All();
  auto first = subject.Snapshot();
  ChangeAll(subject, "middle");
  const std::vector<Row> second_rows = subject.All();
  const auto second = subject.Snapshot();
  ChangeAll(subject, "new");
  CHECK(Reader(*first, {kNs, "", ""}, kOnce).Rest(kSmallPage, subject.now()) == first_rows);
  first.reset();
  const auto third = subject.Snapshot();
  const std::vector<Row> third_rows = subject.All();
  CHECK(Reader(*third, {kNs, "", ""}, kOnce).Rest(kSmallPage, subject.now()) == third_rows);
  ChangeAll(subject, "newest");
  CHECK(Reader(*second, {kNs, "", ""}, kOnce).Rest(kSmallPage, subject.now()) == second_rows);
}

TEST_CASE("Readings that are done once are exact beside threads that write and scan") {
  Subject subject;
  Fill(subject);
  std::atomic<bool> stop{false};
  // Each pair of keys is written in one batch with one value: a snapshot shows them alike.
  const auto write = [&](int thread) {
    for (int i = thread; !stop; i += 2) {
      const std::string value = absl::StrCat("v", i);
      const int key = (i * 7) % (kKeys / 2);
      subject.Atomic({Put(KeyOf(key), value), Put(KeyOf(key + kKeys / 2), value)});
    }
  };
  const auto is_consistent = [](const std::vector<Row>& rows) {
    if (rows.size() != kKeys) return false;
    for (size_t i = 0; i < kKeys / 2; ++i) {
      if (rows[i].value != rows[i + kKeys / 2].value) return false;
    }
    return true;
  };
  int inconsistent = 0;
  InParallel(4, [&](int thread) {
    if (thread < 2) return write(thread);
    const bool once = thread == 2;
    for (int round = 0; once ? round < 100 : !stop; ++round) {
      const auto snapshot =
          subject.Snapshot(once ? SnapshotPurpose::kCheckpoint : SnapshotPurpose::kScan);
      Reader reader(*snapshot, {kNs, "", ""}, once ? kOnce : ScanOptions{});
      if (!is_consistent(reader.Rest(kSmallPage, subject.now()))) ++inconsistent;
    }
    stop = true;
  });
  CHECK(inconsistent == 0);
}

}  // namespace
}  // namespace tarn::testing
