// Cursors: ranges, directions, pages.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

using storage::KeyRange;
using storage::PageBudget;
using storage::ScanContent;
using storage::ScanDirection;
using storage::ScanOptions;

std::string Key(int i) { return absl::StrCat("key", absl::Dec(i, absl::kZeroPad4)); }

// Keys 0 to count - 1, written in an order that is not theirs.
void Fill(Subject& subject, int count) {
  std::vector<Op> puts;
  for (int i = 0; i < count; ++i)
    puts.push_back(Put(Key(i * 7 % count), absl::StrCat("value", i * 7 % count)));
  for (const Answer& answer : subject.Independent(puts).results) REQUIRE(Why(answer) == "OK");
}

std::string Keys(const std::vector<Row>& rows) {
  return absl::StrJoin(rows, " ", [](std::string* out, const Row& row) { out->append(row.key); });
}

std::string KeysIn(Subject& subject, const KeyRange& range, const ScanOptions& options = {}) {
  auto snapshot = subject.Snapshot();
  return Keys(Reader(*snapshot, range, options).Rest({}, subject.now()));
}

TEST_CASE("A range has its start and not its end") {
  Subject subject;
  for (const char* key : {"a", "b", "ba", "c", "d"}) subject.MustDo(Put(key, "v"));
  CHECK(KeysIn(subject, {kNs, "b", "d"}) == "b ba c");
  CHECK(KeysIn(subject, {kNs, "aa", "c"}) == "b ba");
  CHECK(KeysIn(subject, {kNs, "", "b"}) == "a");
  CHECK(KeysIn(subject, {kNs, "c", ""}) == "c d");
  CHECK(KeysIn(subject, {kNs, "", ""}) == "a b ba c d");
  CHECK(KeysIn(subject, {kNs, "e", ""}).empty());
  CHECK(KeysIn(subject, {kNs, "bb", "c"}).empty());
}

TEST_CASE("A descending scan gives the same range backwards") {
  Subject subject;
  for (const char* key : {"a", "b", "ba", "c", "d"}) subject.MustDo(Put(key, "v"));
  const ScanOptions descending{ScanDirection::kDescending, ScanContent::kEntries};
  CHECK(KeysIn(subject, {kNs, "b", "d"}, descending) == "c ba b");
  CHECK(KeysIn(subject, {kNs, "aa", "c"}, descending) == "ba b");
  CHECK(KeysIn(subject, {kNs, "", ""}, descending) == "d c ba b a");
  CHECK(KeysIn(subject, {kNs, "c", ""}, descending) == "d c");
}

TEST_CASE("A scan of the last namespace's neighbours gives nothing of them") {
  Subject subject;
  subject.MustDo(Put("\xFF\xFF", "v").In(1));
  subject.MustDo(Put("a", "v").In(3));
  for (const ScanDirection direction : {ScanDirection::kAscending, ScanDirection::kDescending}) {
    CHECK(KeysIn(subject, {2, "", ""}, {direction, ScanContent::kEntries}).empty());
  }
}

TEST_CASE("Scanned entries have all that belongs to them") {
  Subject subject;
  const Revision revision = subject.MustDo(Put("k", "v").In(3).Until(kStart + 5));
  CHECK(subject.All(3) == std::vector<Row>{{"k", "v", revision, kStart + 5, 3}});
}

TEST_CASE("A scan for keys only leaves out the values and nothing else") {
  Subject subject;
  const Revision revision = subject.MustDo(Put("k", "value").Until(kStart + 5));
  auto snapshot = subject.Snapshot();
  Reader reader(*snapshot, {kNs, "", ""}, {ScanDirection::kAscending, ScanContent::kKeysOnly});
  CHECK(reader.Rest({}, subject.now()) == std::vector<Row>{{"k", "", revision, kStart + 5, kNs}});
}

TEST_CASE("Pages of every size give every entry once, in both directions") {
  Subject subject;
  Fill(subject, 200);
  auto snapshot = subject.Snapshot();
  std::vector<Row> expected = ReadAll(*snapshot, subject.now());
  REQUIRE(expected.size() == 200);
  for (const ScanDirection direction : {ScanDirection::kAscending, ScanDirection::kDescending}) {
    for (const size_t max_entries : {1, 2, 3, 7, 64, 199, 200, 201}) {
      INFO("pages of " << max_entries);
      Reader reader(*snapshot, {kNs, "", ""}, {direction, ScanContent::kEntries});
      CHECK(reader.Rest({max_entries, 1 << 20}, subject.now()) == expected);
    }
    std::reverse(expected.begin(), expected.end());
  }
}

size_t BytesOf(const std::vector<Row>& rows) {
  size_t bytes = 0;
  for (const Row& row : rows) bytes += row.key.size() + row.value.size();
  return bytes;
}

TEST_CASE("A page holds no more than its budget, and at least one entry") {
  Subject subject;
  Fill(subject, 100);
  auto snapshot = subject.Snapshot();
  for (const ScanContent content : {ScanContent::kEntries, ScanContent::kKeysOnly}) {
    for (const PageBudget budget :
         {PageBudget{5, 1 << 20}, PageBudget{1000, 100}, PageBudget{4, 50}, PageBudget{3, 1}}) {
      Reader reader(*snapshot, {kNs, "", ""}, {ScanDirection::kAscending, content});
      for (PageCopy page = reader.Next(budget, subject.now()); !page.at_end;
           page = reader.Next(budget, subject.now())) {
        REQUIRE(page.status.ok());
        REQUIRE_FALSE(page.rows.empty());
        CHECK(page.rows.size() <= budget.max_entries);
        CHECK((page.rows.size() == 1 || BytesOf(page.rows) <= budget.max_bytes));
      }
    }
  }
}

TEST_CASE("A page ends only when it has met a bound") {
  Subject subject;
  Fill(subject, 100);  // 7 bytes of key and at most 7 of value each.
  auto snapshot = subject.Snapshot();
  CHECK(Reader(*snapshot, {kNs, "", ""}).Next({5, 1 << 20}, subject.now()).rows.size() == 5);
  CHECK(Reader(*snapshot, {kNs, "", ""}).Next({1000, 100}, subject.now()).rows.size() >= 7);
  Reader keys(*snapshot, {kNs, "", ""}, {ScanDirection::kAscending, ScanContent::kKeysOnly});
  CHECK(keys.Next({1000, 70}, subject.now()).rows.size() == 10);
}

TEST_CASE("An entry larger than the page's bytes is a page of its own") {
  Subject subject;
  subject.MustDo(Put("a", "1"));
  subject.MustDo(Put("b", std::string(100'000, 'x')));
  subject.MustDo(Put("c", "1"));
  auto snapshot = subject.Snapshot();
  Reader reader(*snapshot, {kNs, "", ""});
  CHECK(Keys(reader.Next({10, 1000}, subject.now()).rows) == "a");
  CHECK(Keys(reader.Next({10, 1000}, subject.now()).rows) == "b");
  CHECK(Keys(reader.Rest({10, 1000}, subject.now())) == "c");
}

TEST_CASE("An empty range ends at once, and stays at its end") {
  Subject subject;
  auto snapshot = subject.Snapshot();
  Reader reader(*snapshot, {kNs, "", ""});
  for (int i = 0; i < 2; ++i) {
    const PageCopy page = reader.Next({}, subject.now());
    CHECK(page.status.ok());
    CHECK(page.rows.empty());
    CHECK(page.at_end);
  }
}

TEST_CASE("A scan skips what has expired at its time, however much that is") {
  Subject subject;
  for (int i = 0; i < 3'000; ++i) {
    subject.MustDo(i % 1'000 == 500 ? Put(Key(i), "v") : Put(Key(i), "v").Until(kStart + 10));
  }
  auto snapshot = subject.Snapshot();
  subject.clock().Advance(10);
  CHECK(Keys(Reader(*snapshot, {kNs, "", ""}).Rest({2, 1 << 20}, subject.now())) ==
        "key0500 key1500 key2500");
  CHECK(ReadAll(*snapshot, snapshot->as_of()).size() == 3'000);
}

TEST_CASE("The time of a scan may pass between its pages") {
  Subject subject;
  subject.MustDo(Put("a", "v").Until(kStart + 10));
  subject.MustDo(Put("b", "v").Until(kStart + 10));
  subject.MustDo(Put("c", "v"));
  auto snapshot = subject.Snapshot();
  Reader reader(*snapshot, {kNs, "", ""});
  CHECK(Keys(reader.Next({1, 1 << 20}, kStart + 9).rows) == "a");
  CHECK(Keys(reader.Next({1, 1 << 20}, kStart + 10).rows) == "c");
}

TEST_CASE("Several cursors of one snapshot do not disturb each other") {
  Subject subject;
  Fill(subject, 50);
  auto snapshot = subject.Snapshot();
  Reader up(*snapshot, {kNs, "", ""});
  Reader down(*snapshot, {kNs, "", ""}, {ScanDirection::kDescending, ScanContent::kEntries});
  for (int i = 0; i < 50; ++i) {
    CHECK(Keys(up.Next({1, 100}, subject.now()).rows) == Key(i));
    CHECK(Keys(down.Next({1, 100}, subject.now()).rows) == Key(49 - i));
  }
}

TEST_CASE("The next page may be asked for from within the completion of the one before") {
  Subject subject;
  Fill(subject, 100);
  auto snapshot = subject.Snapshot();
  auto cursor = snapshot->NewCursor({kNs, "", ""}, {});
  struct Walk {
    storage::Cursor* cursor;
    UnixMs now;
    std::vector<std::string> keys;
    absl::Notification done;

    void Step() {
      cursor->Next({3, 1 << 20}, now, [this](const absl::Status& status, storage::Page& page) {
        for (const storage::EntryView& entry : page.entries) keys.emplace_back(entry.key);
        if (!status.ok() || page.at_end) return done.Notify();
        Step();
      });
    }
  };
  Walk walk{cursor.get(), subject.now(), {}, {}};
  walk.Step();
  REQUIRE(walk.done.WaitForNotificationWithTimeout(absl::Minutes(1)));
  CHECK(walk.keys.size() == 100);
  CHECK(std::is_sorted(walk.keys.begin(), walk.keys.end()));
}

TEST_CASE(
    "Split keys, where an engine gives some, divide a namespace into parts of about the same "
    "size") {
  Subject subject;
  Fill(subject, 4'000);
  subject.MustDo(Put("elsewhere", "v").In(2));
  auto snapshot = subject.Snapshot();
  for (const size_t parts : {1, 2, 4, 8}) {
    std::vector<std::string> bounds = snapshot->SplitKeys(kNs, parts);
    CHECK(bounds.size() < std::max<size_t>(parts, 1));
    CHECK(std::is_sorted(bounds.begin(), bounds.end()));
    CHECK(std::adjacent_find(bounds.begin(), bounds.end()) == bounds.end());
    if (bounds.size() + 1 < parts) continue;
    bounds.insert(bounds.begin(), "");
    bounds.emplace_back();
    size_t total = 0;
    for (size_t i = 0; i + 1 < bounds.size(); ++i) {
      Reader part(*snapshot, {kNs, bounds[i], bounds[i + 1]});
      const size_t size = part.Rest({}, subject.now()).size();
      CHECK(size <= 3 * 4'000 / parts);
      total += size;
    }
    CHECK(total == 4'000);
  }
}

TEST_CASE("A namespace with nothing or one entry in it has no split keys") {
  Subject subject;
  CHECK(subject.Snapshot()->SplitKeys(kNs, 8).empty());
  subject.MustDo(Put("k", "v"));
  CHECK(subject.Snapshot()->SplitKeys(kNs, 1).empty());
}

}  // namespace
}  // namespace tarn::testing
