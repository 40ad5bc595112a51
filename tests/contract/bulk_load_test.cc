// Replacing everything a store holds.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

const storage::StoreMeta kLoaded{std::string(32, 'f'), 9};

// Revisions of an earlier incarnation than the one that is published.
constexpr Revision kOld = storage::FirstRevision(5);

std::unique_ptr<storage::BulkLoad> Begin(Subject& subject) {
  auto load = subject.engine().BeginBulkLoad();
  REQUIRE(load.ok());
  return *std::move(load);
}

void AddRows(storage::BulkLoad& load, const std::vector<Row>& rows) {
  std::vector<storage::EntryView> entries;
  for (const Row& row : rows)
    entries.push_back({row.ns, row.revision, row.deadline, row.key, row.value});
  REQUIRE(load.Add(entries).ok());
}

std::vector<Row> SomeRows() {
  return {{"a", "1", kOld + 3, kNever, 1},
          {"b", std::string(1'000, 'x'), kOld + 1, kStart + 10, 1},
          {std::string("\0\xFF", 2), "", kOld + 2, kNever, 2}};
}

void FillOld(Subject& subject) {
  for (int i = 0; i < 10; ++i) subject.MustDo(Put(absl::StrCat("old", i), "v"));
  subject.MustDo(Put("a", "old").In(1));
  subject.MustDo(Put("a", "old").In(3));
}

TEST_CASE("A published load is all the store holds, with its revisions and deadlines") {
  Subject subject;
  FillOld(subject);
  auto load = Begin(subject);
  const std::vector<Row> rows = SomeRows();
  AddRows(*load, rows);
  REQUIRE(load->Publish(kLoaded).ok());
  CHECK(subject.All(1) == std::vector<Row>{rows[0], rows[1]});
  CHECK(subject.All(2) == std::vector<Row>{rows[2]});
  CHECK(subject.All(3).empty());
  const Answer answer = subject.Do(Get("a").In(1));
  CHECK(answer.revision == kOld + 3);
  CHECK_FALSE(subject.Do(Get("old1")).found);
}

TEST_CASE("After a load the ledger counts what was loaded, and quotas stay") {
  Subject subject;
  FillOld(subject);
  subject.ledger().SetQuota(1, {2, 0});
  auto load = Begin(subject);
  AddRows(*load, SomeRows());
  REQUIRE(load->Publish(kLoaded).ok());
  CHECK(UsageOf(subject, 1) == "2 entries, 1003 bytes");
  CHECK(UsageOf(subject, 2) == "1 entries, 2 bytes");
  CHECK(UsageOf(subject, 3) == "0 entries, 0 bytes");
  CHECK(Why(subject.Do(Put("c", "1").In(1))) == "RESOURCE_EXHAUSTED QUOTA_EXCEEDED");
}

TEST_CASE("A load starts the incarnation it is given and writes its meta") {
  Subject subject;
  auto load = Begin(subject);
  AddRows(*load, SomeRows());
  REQUIRE(load->Publish(kLoaded).ok());
  const Revision revision = subject.MustDo(Put("k", "v"));
  CHECK(storage::IncarnationOf(revision) == 9);
  const auto meta = subject.engine().ReadMeta();
  REQUIRE(meta.ok());
  REQUIRE(meta->has_value());
  CHECK((*meta)->store_id == kLoaded.store_id);
  CHECK((*meta)->incarnation == 9);
}

TEST_CASE("Loaded entries are entries like others: compared, changed, expired and swept") {
  Subject subject;
  auto load = Begin(subject);
  AddRows(*load, SomeRows());
  REQUIRE(load->Publish(kLoaded).ok());
  CHECK(Why(subject.Do(Put("a", "2").IfRevision(kOld + 3))) == "OK");
  subject.clock().Advance(10);
  CHECK_FALSE(subject.Do(Get("b")).found);
  CHECK(subject.SweepAll() == 1);
  CHECK(UsageOf(subject) == "1 entries, 2 bytes");
  CHECK(subject.Do(Take(std::string("\0\xFF", 2)).In(2)).found);
}

TEST_CASE("An expired entry is loaded as it is") {
  Subject subject;
  auto load = Begin(subject);
  AddRows(*load, {{"gone", "v", kOld + 1, kStart - 1, 1}, {"here", "v", kOld + 2, kNever, 1}});
  REQUIRE(load->Publish(kLoaded).ok());
  CHECK(subject.All().size() == 1);
  CHECK(subject.SweepAll() == 1);
}

TEST_CASE("A load of nothing empties the store") {
  Subject subject;
  FillOld(subject);
  REQUIRE(Begin(subject)->Publish(kLoaded).ok());
  CHECK(subject.All(1).empty());
  CHECK(subject.All(3).empty());
  CHECK(UsageOf(subject, 1) == "0 entries, 0 bytes");
  subject.MustDo(Put("k", "v"));
  CHECK(subject.All().size() == 1);
}

TEST_CASE(
    "Nothing of a load is seen before it is published, and nothing at all when it is abandoned") {
  Subject subject;
  FillOld(subject);
  const std::vector<Row> before = subject.All();
  const std::string usage = UsageOf(subject);
  auto load = Begin(subject);
  AddRows(*load, SomeRows());
  CHECK(subject.All() == before);
  CHECK(UsageOf(subject) == usage);
  load.reset();
  CHECK(subject.All() == before);
  CHECK(UsageOf(subject) == usage);
  CHECK(subject.All(2).empty());
  CHECK(storage::IncarnationOf(subject.MustDo(Put("k", "v"))) == 1);
  CHECK(subject.engine().ReadMeta().value()->incarnation == 1);
}

TEST_CASE("A load may be begun again after one was abandoned") {
  Subject subject;
  FillOld(subject);
  for (int i = 0; i < 3; ++i) AddRows(*Begin(subject), SomeRows());
  auto load = Begin(subject);
  AddRows(*load, {{"only", "v", kOld + 1, kNever, 1}});
  REQUIRE(load->Publish(kLoaded).ok());
  CHECK(subject.All().size() == 1);
}

TEST_CASE("Writes while a load is built belong to the old content") {
  Subject subject;
  auto load = Begin(subject);
  AddRows(*load, SomeRows());
  subject.MustDo(Put("a", "late"));
  subject.MustDo(Put("new", "late"));
  REQUIRE(load->Publish(kLoaded).ok());
  CHECK(subject.Do(Get("a")).value == "1");
  CHECK_FALSE(subject.Do(Get("new")).found);
}

TEST_CASE("Several loads one after another each replace all") {
  Subject subject;
  for (uint64_t round = 1; round <= 3; ++round) {
    auto load = Begin(subject);
    AddRows(*load, {{absl::StrCat("round", round), "v", kOld + round, kNever, 1}});
    REQUIRE(load->Publish({kLoaded.store_id, kLoaded.incarnation + round}).ok());
    load.reset();
    REQUIRE(subject.All().size() == 1);
    CHECK(subject.All().at(0).key == absl::StrCat("round", round));
  }
}

TEST_CASE("Many threads may add ranges of their own, in any order of calls") {
  Subject subject;
  auto load = Begin(subject);
  constexpr int kThreads = 4;
  constexpr int kEach = 5'000;
  InParallel(kThreads, [&load](int thread) {
    std::vector<Row> rows;
    for (int i = 0; i < kEach; ++i) {
      const int number = thread * kEach + i;
      rows.push_back({absl::StrCat("key", absl::Dec(number, absl::kZeroPad6)), absl::StrCat(number),
                      kOld + static_cast<Revision>(number) + 1, kNever, 1});
      if (rows.size() < 100) continue;
      std::vector<storage::EntryView> entries;
      for (const Row& row : rows)
        entries.push_back({row.ns, row.revision, row.deadline, row.key, row.value});
      if (!load->Add(entries).ok()) std::abort();
      rows.clear();
    }
  });
  REQUIRE(load->Publish(kLoaded).ok());
  const std::vector<Row> all = subject.All();
  REQUIRE(all.size() == kThreads * kEach);
  for (size_t i = 0; i < all.size(); ++i) REQUIRE(all[i].revision == kOld + i + 1);
  CHECK(subject.ledger().Get(1).entries == kThreads * kEach);
}

TEST_CASE("Entries that come in descending order are loaded too") {
  Subject subject;
  auto load = Begin(subject);
  for (int i = 999; i >= 0; --i) {
    AddRows(*load, {{absl::StrCat(absl::Dec(i, absl::kZeroPad3)), "v", kOld + 1, kNever,
                     NamespaceId(1 + i % 2)}});
  }
  REQUIRE(load->Publish(kLoaded).ok());
  CHECK(subject.All(1).size() == 500);
  CHECK(subject.All(2).size() == 500);
}

TEST_CASE("A snapshot after a load shows the load") {
  Subject subject;
  FillOld(subject);
  auto load = Begin(subject);
  AddRows(*load, SomeRows());
  REQUIRE(load->Publish(kLoaded).ok());
  auto snapshot = subject.Snapshot();
  subject.MustDo(Delete("a"));
  CHECK(ReadAll(*snapshot, subject.now()).size() == 2);
  CHECK(snapshot->revision() >= storage::FirstRevision(9));
}

}  // namespace
}  // namespace tarn::testing
