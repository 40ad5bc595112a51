// Limits that only the engine can see: sizes of answers and values, snapshots.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

using storage::SnapshotPurpose;

EngineSetup WithResponseLimit(size_t bytes) {
  EngineSetup setup;
  setup.limits.max_response_bytes = bytes;
  return setup;
}

// Room for three results with 300 bytes of value each, and not for four.
constexpr size_t kThreeResults = 3 * (300 + storage::kResultOverheadBytes);

void FillFour(Subject& subject) {
  for (const char* key : {"a", "b", "c", "d"}) subject.MustDo(Put(key, std::string(300, *key)));
}

TEST_CASE("An atomic batch whose answer fits to the byte is done") {
  Subject subject(WithResponseLimit(kThreeResults));
  FillFour(subject);
  CHECK(Why(subject.Atomic({Get("a"), Take("b"), Get("c")})) == "OK");
}

TEST_CASE("An atomic batch whose answer would be too large is refused before anything is written") {
  Subject subject(WithResponseLimit(kThreeResults - 1));
  FillFour(subject);
  const std::vector<Row> before = subject.All();
  const std::string usage = UsageOf(subject);
  for (const std::vector<Op>& batch :
       {std::vector<Op>{Get("a"), Take("b"), Take("c")},
        std::vector<Op>{Get("a"), Get("a"), Get("a"), Put("new", "v")},
        std::vector<Op>{Put("new", "v"), Take("a"), Take("b"), Take("c")}}) {
    const BatchAnswer answer = subject.Atomic(batch);
    CHECK(Why(answer) == "INVALID_ARGUMENT RESPONSE_TOO_LARGE");
    CHECK(answer.results.empty());
    CHECK(subject.All() == before);
    CHECK(UsageOf(subject) == usage);
  }
}

TEST_CASE("Of an independent batch only the operation whose answer has no room is refused") {
  Subject subject(WithResponseLimit(kThreeResults + 200));
  FillFour(subject);
  const BatchAnswer answer =
      subject.Independent({Take("a"), Get("b"), Take("c"), Take("d"), Get("missing")});
  CHECK(Why(answer) == "OK");
  CHECK(answer.results.at(0).value == std::string(300, 'a'));
  CHECK(Why(answer.results.at(2)) == "OK");
  CHECK(Why(answer.results.at(3)) == "INVALID_ARGUMENT RESPONSE_TOO_LARGE");
  CHECK(answer.results.at(3).value.empty());
  CHECK(subject.Do(Get("d")).found);
  CHECK_FALSE(subject.Do(Get("c")).found);
  CHECK(subject.ledger().Get(kNs).entries == 2);
}

TEST_CASE(
    "Answers that bring no value back are not too large, however large what they remove or write "
    "is") {
  Subject subject(WithResponseLimit(1'000));
  subject.MustDo(Put("a", std::string(5'000, 'x')));
  CHECK(subject.Do(Append("a", std::string(5'000, 'x'))).size == 10'000);
  CHECK(Why(subject.Do(Get("a"))) == "INVALID_ARGUMENT RESPONSE_TOO_LARGE");
  CHECK(Why(subject.Do(Take("a"))) == "INVALID_ARGUMENT RESPONSE_TOO_LARGE");
  CHECK(Why(subject.Do(Touch("a", kNever))) == "OK");
  CHECK(Why(subject.Do(Delete("a"))) == "OK");
}

TEST_CASE("An append checks the size that results") {
  EngineSetup setup;
  setup.limits.max_value_bytes = 100;
  Subject subject(setup);
  subject.MustDo(Append("k", std::string(60, 'x')));
  CHECK(Why(subject.Do(Append("k", std::string(41, 'x')))) == "INVALID_ARGUMENT VALUE_TOO_LARGE");
  CHECK(subject.Do(Append("k", std::string(40, 'x'))).size == 100);
  CHECK(Why(subject.Do(Append("k", "x"))) == "INVALID_ARGUMENT VALUE_TOO_LARGE");
  CHECK(subject.Do(Append("k", "")).size == 100);
  CHECK(subject.Do(Get("k")).value == std::string(100, 'x'));
}

EngineSetup WithSnapshots(size_t count) {
  EngineSetup setup;
  setup.max_snapshots = count;
  return setup;
}

std::string Outcome(storage::Snapshot& snapshot) {
  Reader reader(snapshot, {kNs, "", ""});
  return Why(reader.Next({}, snapshot.as_of()).status);
}

TEST_CASE("One snapshot too many ends the oldest scan's") {
  Subject subject(WithSnapshots(3));
  subject.MustDo(Put("k", "v"));
  auto checkpoint = subject.Snapshot(SnapshotPurpose::kCheckpoint);
  auto first = subject.Snapshot(SnapshotPurpose::kScan);
  auto second = subject.Snapshot(SnapshotPurpose::kScan);
  auto third = subject.Snapshot(SnapshotPurpose::kScan);
  CHECK(Outcome(*first) == "ABORTED SNAPSHOT_EXPIRED");
  CHECK(Outcome(*second) == "OK");
  CHECK(Outcome(*third) == "OK");
  CHECK(Outcome(*checkpoint) == "OK");
}

TEST_CASE("A page of an ended snapshot is empty, and a cursor in its middle ends too") {
  Subject subject(WithSnapshots(1));
  for (int i = 0; i < 10; ++i) subject.MustDo(Put(absl::StrCat(i), "v"));
  auto first = subject.Snapshot(SnapshotPurpose::kScan);
  Reader reader(*first, {kNs, "", ""});
  CHECK(reader.Next({2, 100}, subject.now()).rows.size() == 2);
  auto second = subject.Snapshot(SnapshotPurpose::kScan);
  const PageCopy page = reader.Next({2, 100}, subject.now());
  CHECK(Why(page.status) == "ABORTED SNAPSHOT_EXPIRED");
  CHECK(page.rows.empty());
  CHECK(ReadAll(*second, subject.now()).size() == 10);
}

TEST_CASE("A checkpoint's snapshot is not ended for a scan's, nor for another checkpoint's") {
  Subject subject(WithSnapshots(2));
  subject.MustDo(Put("k", "v"));
  auto first = subject.Snapshot(SnapshotPurpose::kCheckpoint);
  auto second = subject.Snapshot(SnapshotPurpose::kCheckpoint);
  for (const SnapshotPurpose purpose : {SnapshotPurpose::kScan, SnapshotPurpose::kCheckpoint}) {
    const auto refused = subject.engine().OpenSnapshot(purpose);
    CHECK(Why(refused.status()) == "RESOURCE_EXHAUSTED TOO_MANY_SNAPSHOTS");
  }
  CHECK(Outcome(*first) == "OK");
  first.reset();
  CHECK(subject.engine().OpenSnapshot(SnapshotPurpose::kScan).ok());
}

TEST_CASE("A checkpoint's snapshot ends a scan's when there is no room") {
  Subject subject(WithSnapshots(1));
  auto scan = subject.Snapshot(SnapshotPurpose::kScan);
  auto checkpoint = subject.Snapshot(SnapshotPurpose::kCheckpoint);
  CHECK(Outcome(*scan) == "ABORTED SNAPSHOT_EXPIRED");
  CHECK(Outcome(*checkpoint) == "OK");
}

TEST_CASE("Writes are not refused at the limit of snapshots, and snapshots are counted") {
  Subject subject(WithSnapshots(2));
  auto first = subject.Snapshot(SnapshotPurpose::kScan);
  auto second = subject.Snapshot(SnapshotPurpose::kScan);
  CHECK(subject.engine().Stats().snapshots == 2);
  for (int i = 0; i < 100; ++i) CHECK(Why(subject.Do(Add("k", 1))) == "OK");
  first.reset();
  second.reset();
  CHECK(subject.engine().Stats().snapshots == 0);
}

TEST_CASE("An ended snapshot that is closed late frees no second place") {
  Subject subject(WithSnapshots(1));
  auto first = subject.Snapshot(SnapshotPurpose::kScan);
  auto second = subject.Snapshot(SnapshotPurpose::kCheckpoint);
  first.reset();
  const auto refused = subject.engine().OpenSnapshot(SnapshotPurpose::kScan);
  CHECK(Why(refused.status()) == "RESOURCE_EXHAUSTED TOO_MANY_SNAPSHOTS");
  CHECK(Outcome(*second) == "OK");
}

}  // namespace
}  // namespace tarn::testing
