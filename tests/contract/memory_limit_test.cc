// The memory limit of an engine that lives in memory. Linked only for those.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

constexpr char kRefused[] = "RESOURCE_EXHAUSTED MEMORY_LIMIT";
constexpr uint64_t kLimit = 8 << 20;

EngineSetup Limited() {
  EngineSetup setup;
  setup.memory_limit_bytes = kLimit;
  return setup;
}

// Writes until it is refused; gives how many were not.
int Fill(Subject& subject) {
  for (int i = 0; i < 1'000'000; ++i) {
    const Answer answer = subject.Do(Put(absl::StrCat("key", i), std::string(1'000, 'x')));
    if (answer.status.ok()) continue;
    REQUIRE(Why(answer) == kRefused);
    return i;
  }
  FAIL("never refused");
  return 0;
}

TEST_CASE("Growth beyond the memory limit is refused, and the limit was used well") {
  Subject subject(Limited());
  const int entries = Fill(subject);
  CHECK(entries > 4'000);
  CHECK(entries < 8'400);
  const storage::EngineStats stats = subject.engine().Stats();
  CHECK(stats.memory_limit_bytes == kLimit);
  CHECK(stats.memory_bytes <= kLimit);
  CHECK(stats.memory_bytes > kLimit / 2);
}

TEST_CASE("At the memory limit reads, deletes and scans work, and nothing was half done") {
  Subject subject(Limited());
  const int entries = Fill(subject);
  CHECK(subject.All().size() == static_cast<size_t>(entries));
  CHECK(subject.ledger().Get(kNs).entries == entries);
  CHECK(subject.Do(Get("key0")).found);
  CHECK(subject.Do(Take("key0")).found);
  CHECK(Why(subject.Do(Delete("key1"))) == "OK");
  CHECK(Why(subject.Do(Put("key2", ""))) == "OK");
}

TEST_CASE("A refused atomic batch leaves nothing at the memory limit") {
  Subject subject(Limited());
  Fill(subject);
  const std::vector<Row> before = subject.All();
  const std::string large(2 << 20, 'x');
  const BatchAnswer answer = subject.Atomic({Put("a", large), Put("b", large), Delete("key5")});
  CHECK(Why(answer) == kRefused);
  CHECK(subject.All() == before);
}

TEST_CASE("Room that was made below the memory limit can be used again") {
  Subject subject(Limited());
  const int entries = Fill(subject);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < entries; ++i) subject.MustDo(Delete(absl::StrCat("key", i)));
    CHECK(UsageOf(subject) == "0 entries, 0 bytes");
    CHECK(Fill(subject) >= entries * 9 / 10);
  }
}

TEST_CASE("Entries that expired give their memory back when they are swept") {
  Subject subject(Limited());
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 4'000; ++i) {
      subject.MustDo(
          Put(absl::StrCat(round, ".", i), std::string(1'000, 'x')).Until(subject.now() + 10));
    }
    subject.clock().Advance(10);
    CHECK(subject.SweepAll() == 4'000);
  }
}

TEST_CASE("Overwriting for ever stays below the memory limit") {
  Subject subject(Limited());
  for (int i = 0; i < 50'000; ++i) {
    subject.MustDo(
        Put(absl::StrCat("key", i % 100), std::string(static_cast<size_t>(i % 2'000), 'x')));
  }
  CHECK(subject.engine().Stats().memory_bytes < kLimit);
}

TEST_CASE("A load beyond the memory limit is refused, and the old content stays") {
  Subject subject(Limited());
  subject.MustDo(Put("old", "v"));
  auto load = subject.engine().BeginBulkLoad();
  REQUIRE(load.ok());
  const std::string value(100'000, 'x');
  absl::Status status;
  for (int i = 0; i < 1'000 && status.ok(); ++i) {
    const std::string key = absl::StrCat(i);
    const storage::EntryView entry{kNs, Revision(i) + 1, kNever, key, value};
    status = (*load)->Add(absl::MakeConstSpan(&entry, 1));
  }
  CHECK(Why(status) == kRefused);
  load->reset();
  CHECK(subject.All().size() == 1);
  CHECK(UsageOf(subject) == "1 entries, 4 bytes");
  CHECK(Why(subject.Do(Put("new", "v"))) == "OK");
}

}  // namespace
}  // namespace tarn::testing
