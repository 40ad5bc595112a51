// What a durable engine still has when it is opened again. Linked only for those.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

TEST_CASE("A durable engine opened again has every entry with its revision and deadline") {
  Subject subject;
  for (int i = 0; i < 500; ++i) {
    const Op put = Put(absl::StrCat("key", i), std::string(static_cast<size_t>(i), 'x'))
                       .In(NamespaceId(i % 3));
    subject.MustDo(i % 5 == 0 ? put.Until(kStart + 10 + i) : put);
  }
  subject.Atomic({Delete("key3"), Put("key4", "new"), Delete("key6").In(0)});
  std::vector<std::vector<Row>> before;
  for (NamespaceId ns = 0; ns < 3; ++ns) before.push_back(subject.All(ns));
  subject.Reopen();
  for (NamespaceId ns = 0; ns < 3; ++ns) CHECK(subject.All(ns) == before[ns]);
}

TEST_CASE("A durable engine opened again has the receipts of what was written") {
  Subject subject;
  const Op add = Add("n", 1);
  subject.Do(add.Leaving(ReceiptOf(add, 1)));
  AtomicLeaving(subject.engine(), ReceiptOf(add, 2), {add});
  const std::vector<Row> before = subject.All(storage::kSystemNamespace);
  REQUIRE(before.size() == 2);
  subject.Reopen();
  CHECK(subject.All(storage::kSystemNamespace) == before);
  CHECK(UsageOf(subject, 0) == absl::StrCat("2 entries, ",
                                            before[0].key.size() + before[0].value.size() +
                                                before[1].key.size() + before[1].value.size(),
                                            " bytes"));
}

TEST_CASE("A durable engine opened again counts what it holds, expired entries included") {
  Subject subject;
  subject.MustDo(Put("a", "123"));
  subject.MustDo(Put("b", "123").Until(kStart + 10));
  subject.MustDo(Put("c", "123").In(2));
  subject.MustDo(Put("d", "123").In(2));
  subject.MustDo(Delete("d").In(2));
  subject.clock().Advance(10);
  subject.Reopen();
  CHECK(UsageOf(subject, 1) == "2 entries, 8 bytes");
  CHECK(UsageOf(subject, 2) == "1 entries, 4 bytes");
  CHECK(subject.SweepAll() == 1);
  CHECK(UsageOf(subject, 1) == "1 entries, 4 bytes");
}

TEST_CASE("A durable engine opened again knows who it is") {
  Subject subject;
  const auto before = subject.engine().ReadMeta();
  REQUIRE(before.ok());
  subject.Reopen();
  const auto after = subject.engine().ReadMeta();
  REQUIRE(after.ok());
  CHECK((*after)->store_id == (*before)->store_id);
  CHECK((*after)->incarnation == (*before)->incarnation + 1);
}

TEST_CASE("Revisions go on rising when a durable engine is opened again") {
  Subject subject;
  Revision last = 0;
  for (int round = 0; round < 4; ++round) {
    const Revision revision = subject.MustDo(Put("k", absl::StrCat(round)));
    CHECK(revision > last);
    last = revision;
    subject.Reopen();
  }
  CHECK(subject.Do(Get("k")).value == "3");
}

TEST_CASE(
    "What was deleted, swept or undone does not come back when a durable engine is opened again") {
  Subject subject;
  subject.MustDo(Put("deleted", "v"));
  subject.MustDo(Put("swept", "v").Until(kStart + 10));
  subject.MustDo(Put("kept", "v"));
  subject.MustDo(Delete("deleted"));
  subject.Atomic({Put("undone", "v"), Get("missing").IfPresent()});
  subject.clock().Advance(10);
  subject.SweepAll();
  subject.Reopen();
  CHECK(subject.All().size() == 1);
  CHECK(UsageOf(subject) == "1 entries, 5 bytes");
}

TEST_CASE("A published load survives being opened again, an abandoned one leaves nothing") {
  Subject subject;
  subject.MustDo(Put("old", "v"));
  const auto add = [&subject](const std::string& key) {
    auto load = subject.engine().BeginBulkLoad();
    REQUIRE(load.ok());
    const storage::EntryView entry{kNs, storage::FirstRevision(3), kStart + 50, key, "loaded"};
    REQUIRE((*load)->Add(absl::MakeConstSpan(&entry, 1)).ok());
    return *std::move(load);
  };
  add("abandoned").reset();
  subject.Reopen();
  CHECK(subject.All().at(0).key == "old");
  REQUIRE(add("published")->Publish({std::string(32, 'e'), 7}).ok());
  subject.MustDo(Put("later", "v"));
  subject.Reopen();
  REQUIRE(subject.All().size() == 2);
  CHECK(subject.All().at(1) ==
        Row{"published", "loaded", storage::FirstRevision(3), kStart + 50, kNs});
  CHECK(subject.engine().ReadMeta().value()->incarnation == 8);
  CHECK(UsageOf(subject) == "2 entries, 21 bytes");
}

TEST_CASE("Batches under way when a durable engine is closed are there when it is opened again") {
  Subject subject;
  std::vector<std::shared_ptr<Pending>> pending;
  for (int i = 0; i < 500; ++i) {
    pending.push_back(Submit(subject.engine(), BatchMode::kAtomic, {Put(absl::StrCat(i), "v")}));
  }
  subject.Reopen();
  for (const auto& one : pending) CHECK(Why(one->Wait()) == "OK");
  CHECK(subject.All().size() == 500);
}

}  // namespace
}  // namespace tarn::testing
