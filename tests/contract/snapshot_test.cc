// Snapshots: exactly the commits up to one revision, while everything else goes on.
#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

TEST_CASE("A snapshot has at least every revision acknowledged before it was opened") {
  Subject subject;
  for (int i = 0; i < 50; ++i) {
    const Revision acknowledged = subject.MustDo(Add("k", 1));
    auto snapshot = subject.Snapshot();
    CHECK(snapshot->revision() >= acknowledged);
    CHECK(ReadAll(*snapshot, subject.now()).at(0).revision == acknowledged);
  }
}

TEST_CASE("A snapshot knows when it was opened") {
  Subject subject;
  subject.clock().Advance(123);
  CHECK(subject.Snapshot()->as_of() == kStart + 123);
}

// What can happen to a key while a snapshot is open.
std::vector<std::vector<Op>> Changes() {
  return {
      {Put("k", "new")},
      {Delete("k")},
      {Take("k")},
      {Add("k", 1)},
      {Append("k", "more")},
      {Touch("k", kStart + 1)},
      {Delete("k"), Put("k", "again")},
      {Delete("k"), Put("k", "again"), Delete("k")},
      {Put("k", "1"), Put("k", "2"), Put("k", "3")},
      {Put("before", "x"), Put("k2", "x"), Delete("k")},
  };
}

TEST_CASE("A snapshot keeps showing what later commits replaced or removed") {
  for (const std::vector<Op>& change : Changes()) {
    INFO(Show(change.front()) << " and " << change.size() - 1 << " more");
    Subject subject;
    subject.MustDo(Put("a", "1"));
    subject.MustDo(Put("k", "7"));
    subject.MustDo(Put("z", "1"));
    const std::vector<Row> before = subject.All();
    auto snapshot = subject.Snapshot();
    for (const Op& op : change) subject.MustDo(op);
    CHECK(ReadAll(*snapshot, snapshot->as_of()) == before);
    CHECK(ReadAll(*snapshot, snapshot->as_of()) == before);
  }
}

TEST_CASE("A snapshot does not show what was created later") {
  Subject subject;
  auto snapshot = subject.Snapshot();
  for (int i = 0; i < 100; ++i) subject.MustDo(Put(absl::StrCat(i), "v"));
  CHECK(ReadAll(*snapshot, subject.now()).empty());
  CHECK(subject.All().size() == 100);
}

TEST_CASE("Atomic batches are in a snapshot whole or not at all") {
  Subject subject;
  subject.Atomic({Put("a", "1"), Put("b", "1"), Put("c", "1").In(2)});
  auto snapshot = subject.Snapshot();
  subject.Atomic({Put("a", "2"), Delete("b"), Put("c", "2").In(2), Put("d", "2")});
  const std::vector<Row> rows = ReadAll(*snapshot, subject.now());
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].value == "1");
  CHECK(rows[1].value == "1");
  CHECK(ReadAll(*snapshot, subject.now(), 2).at(0).value == "1");
}

TEST_CASE("A batch that was undone is in no snapshot") {
  Subject subject;
  subject.MustDo(Put("a", "1"));
  auto before = subject.Snapshot();
  subject.Atomic({Put("a", "2"), Put("b", "2"), Get("missing").IfPresent()});
  auto after = subject.Snapshot();
  CHECK(ReadAll(*before, subject.now()).size() == 1);
  CHECK(ReadAll(*after, subject.now()) == ReadAll(*before, subject.now()));
}

TEST_CASE("Writes behind, before and at the place of a cursor change nothing of what it gives") {
  Subject subject;
  for (int i = 100; i < 200; ++i) subject.MustDo(Put(absl::StrCat(i), "old"));
  const std::vector<Row> before = subject.All();
  auto snapshot = subject.Snapshot();
  Reader reader(*snapshot, {kNs, "", ""});
  std::vector<Row> seen = reader.Next({50, 1 << 20}, subject.now()).rows;
  for (const char* key : {"100", "149", "150", "199"}) subject.MustDo(Delete(key));
  for (const char* key : {"101", "148", "151", "198"}) subject.MustDo(Put(key, "new"));
  for (const char* key : {"1005", "1495", "1505", "1995"}) subject.MustDo(Put(key, "new"));
  const std::vector<Row> rest = reader.Rest({7, 1 << 20}, subject.now());
  seen.insert(seen.end(), rest.begin(), rest.end());
  CHECK(seen == before);
}

TEST_CASE("Snapshots at different revisions each keep their own state, whichever is closed first") {
  for (const bool oldest_first : {true, false}) {
    Subject subject;
    std::vector<std::unique_ptr<storage::Snapshot>> snapshots;
    std::vector<std::vector<Row>> states;
    for (int i = 0; i < 12; ++i) {
      subject.MustDo(Put("k", absl::StrCat(i)));
      if (i % 3 == 0)
        subject.MustDo(Delete("other"));
      else
        subject.MustDo(Append("other", "x"));
      states.push_back(subject.All());
      snapshots.push_back(subject.Snapshot());
    }
    subject.MustDo(Delete("k"));
    subject.MustDo(Delete("other"));
    while (!snapshots.empty()) {
      for (size_t i = 0; i < snapshots.size(); ++i)
        CHECK(ReadAll(*snapshots[i], subject.now()) == states[i]);
      const auto at = oldest_first ? 0 : static_cast<std::ptrdiff_t>(snapshots.size()) - 1;
      snapshots.erase(snapshots.begin() + at);
      states.erase(states.begin() + at);
    }
    CHECK(subject.All().empty());
  }
}

TEST_CASE("Snapshots opened and closed in any order stay exact") {
  std::mt19937 random(Seed());
  INFO("seed " << Seed());
  Subject subject;
  struct Kept {
    std::unique_ptr<storage::Snapshot> snapshot;
    std::vector<Row> state;
  };
  std::deque<Kept> open;
  for (int step = 0; step < 2'000; ++step) {
    const std::string key = absl::StrCat(random() % 20);
    const auto choice = random() % 20;
    if (choice < 12)
      subject.MustDo(Put(key, absl::StrCat(step)));
    else if (choice < 16)
      subject.MustDo(Delete(key));
    else if (choice < 18 && open.size() < 10)
      open.push_back({subject.Snapshot(), subject.All()});
    else if (!open.empty())
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(random() % open.size()));
    if (step % 100 != 0) continue;
    for (Kept& kept : open) REQUIRE(ReadAll(*kept.snapshot, subject.now()) == kept.state);
  }
}

TEST_CASE("Two snapshots without a commit between them show the same") {
  Subject subject;
  subject.MustDo(Put("k", "v"));
  auto first = subject.Snapshot();
  auto second = subject.Snapshot();
  CHECK(first->revision() == second->revision());
  subject.MustDo(Put("k", "w"));
  first.reset();
  CHECK(ReadAll(*second, subject.now()).at(0).value == "v");
}

TEST_CASE(
    "Entries that expire after a snapshot was opened stay readable in it, swept or replaced") {
  Subject subject;
  subject.MustDo(Put("expired", "v").Until(kStart + 10));
  subject.MustDo(Put("replaced", "v").Until(kStart + 20));
  subject.MustDo(Put("swept", "v").Until(kStart + 20));
  subject.clock().Advance(10);
  const std::vector<Row> before = subject.All();
  REQUIRE(before.size() == 2);
  auto snapshot = subject.Snapshot();
  subject.clock().Advance(10);
  subject.SweepAll();
  subject.MustDo(Put("replaced", "new").IfAbsent());
  subject.SweepAll();
  CHECK(ReadAll(*snapshot, snapshot->as_of()) == before);
  CHECK(ReadAll(*snapshot, subject.now()).empty());
}

TEST_CASE("A snapshot survives the sweeping of what was written after it") {
  Subject subject;
  subject.MustDo(Put("k", "old"));
  auto snapshot = subject.Snapshot();
  subject.MustDo(Put("k", "new").Until(kStart + 10));
  subject.clock().Advance(10);
  subject.SweepAll();
  CHECK_FALSE(subject.Do(Get("k")).found);
  CHECK(ReadAll(*snapshot, subject.now()).at(0).value == "old");
  snapshot.reset();
  subject.SweepAll();
  CHECK(UsageOf(subject) == "0 entries, 0 bytes");
}

TEST_CASE("Cursors in both directions see the same snapshot through many changes") {
  Subject subject;
  for (int i = 1000; i < 1500; ++i) subject.MustDo(Put(absl::StrCat(i), "old"));
  std::vector<Row> expected = subject.All();
  auto snapshot = subject.Snapshot();
  for (int i = 1000; i < 1500; i += 2) subject.MustDo(Delete(absl::StrCat(i)));
  for (int i = 1500; i < 1600; ++i) subject.MustDo(Put(absl::StrCat(i), "new"));
  CHECK(Reader(*snapshot, {kNs, "", ""}).Rest({13, 1 << 20}, subject.now()) == expected);
  std::reverse(expected.begin(), expected.end());
  Reader down(*snapshot, {kNs, "", ""},
              {storage::ScanDirection::kDescending, storage::ScanContent::kEntries});
  CHECK(down.Rest({13, 1 << 20}, subject.now()) == expected);
}

}  // namespace
}  // namespace tarn::testing
