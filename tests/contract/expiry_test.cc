// Deadlines and the sweeping of what has passed them.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

TEST_CASE("An entry lives strictly before its deadline, to the millisecond") {
  Subject subject;
  subject.MustDo(Put("k", "v").Until(kStart + 100));
  subject.clock().Advance(99);
  CHECK(subject.Do(Get("k")).found);
  CHECK(subject.All().size() == 1);
  subject.clock().Advance(1);
  CHECK_FALSE(subject.Do(Get("k")).found);
  CHECK(subject.All().empty());
}

TEST_CASE("An entry without a deadline never expires") {
  Subject subject;
  subject.MustDo(Put("k", "v"));
  subject.clock().Advance(int64_t{1} << 41);
  CHECK(subject.Do(Get("k")).found);
  CHECK(subject.SweepAll() == 0);
}

TEST_CASE("A write whose deadline has passed already leaves nothing to see") {
  Subject subject;
  const Answer answer = subject.Do(Put("k", "v").Until(kStart));
  CHECK(Why(answer) == "OK");
  CHECK_FALSE(subject.Do(Get("k")).found);
  CHECK(subject.All().empty());
}

TEST_CASE("Put, add and append set the deadline they are given") {
  Subject subject;
  subject.MustDo(Put("k", "1").Until(kStart + 50));
  subject.MustDo(Put("k", "1").Until(kStart + 60));
  CHECK(subject.Do(Get("k")).deadline == kStart + 60);
  subject.MustDo(Add("k", 1).Until(kStart + 70));
  CHECK(subject.Do(Get("k")).deadline == kStart + 70);
  subject.MustDo(Append("k", "1").Until(kStart + 80));
  CHECK(subject.Do(Get("k")).deadline == kStart + 80);
  subject.MustDo(Put("k", "1"));
  CHECK(subject.Do(Get("k")).deadline == kNever);
}

TEST_CASE("A live entry keeps its deadline when asked, a created one gets the one given") {
  Subject subject;
  for (const Op& op : {Add("n", 1), Append("s", "x")}) {
    INFO(Show(op));
    CHECK(subject.Do(op.Until(kStart + 50).KeepDeadline()).deadline == kStart + 50);
    CHECK(subject.Do(op.Until(kStart + 99).KeepDeadline()).deadline == kStart + 50);
    CHECK(subject.Do(Get(op.key)).deadline == kStart + 50);
  }
}

TEST_CASE("A live entry that never expires keeps that too") {
  Subject subject;
  subject.MustDo(Put("k", "1"));
  CHECK(subject.Do(Add("k", 1).Until(kStart + 50).KeepDeadline()).deadline == kNever);
}

TEST_CASE("An expired entry has no deadline to keep and no value to build on") {
  Subject subject;
  subject.MustDo(Put("n", "5").Until(kStart + 10));
  subject.MustDo(Put("s", "abc").Until(kStart + 10));
  subject.clock().Advance(10);
  const Answer added = subject.Do(Add("n", 1).Until(kStart + 500).KeepDeadline());
  CHECK(added.number == 1);
  CHECK(added.deadline == kStart + 500);
  const Answer appended = subject.Do(Append("s", "x").KeepDeadline());
  CHECK(appended.size == 1);
  CHECK(appended.deadline == kNever);
}

TEST_CASE("Delete, take and touch of an expired entry find nothing and commit nothing") {
  Subject subject;
  const Revision revision = subject.MustDo(Put("k", "v").Until(kStart + 10));
  subject.clock().Advance(10);
  for (const Op& op : {Delete("k"), Take("k"), Touch("k", kNever)}) {
    const Answer answer = subject.Do(op);
    CHECK_FALSE(answer.found);
    CHECK(answer.revision == 0);
  }
  CHECK_FALSE(subject.Do(Get("k")).found);
  CHECK(subject.engine().Stats().revision == revision);
}

TEST_CASE("Expiry happens inside an atomic batch's one moment too") {
  Subject subject;
  subject.MustDo(Put("a", "1").Until(kStart + 10));
  subject.clock().Advance(10);
  const BatchAnswer answer = subject.Atomic({Get("a"), Put("b", "1"), Put("a", "2").IfAbsent()});
  CHECK(Why(answer) == "OK");
  CHECK_FALSE(answer.results.at(0).found);
  CHECK(subject.Do(Get("a")).value == "2");
}

TEST_CASE("Sweeping removes exactly what has expired") {
  Subject subject;
  for (int i = 0; i < 20; ++i) {
    const Op put = Put("k" + std::to_string(i), "v");
    subject.MustDo(i % 2 == 0 ? put.Until(kStart + 10) : put.Until(kStart + 11));
  }
  subject.MustDo(Put("for ever", "v"));
  subject.clock().Advance(10);
  CHECK(subject.SweepAll() == 10);
  CHECK(subject.SweepAll() == 0);
  CHECK(subject.All().size() == 11);
}

TEST_CASE("Sweeping frees what the ledger counts, and no sooner") {
  Subject subject;
  subject.MustDo(Put("key", "12345").Until(kStart + 10));
  subject.MustDo(Put("alive", "1"));
  CHECK(UsageOf(subject) == "2 entries, 14 bytes");
  subject.clock().Advance(10);
  CHECK(UsageOf(subject) == "2 entries, 14 bytes");
  subject.SweepAll();
  CHECK(UsageOf(subject) == "1 entries, 6 bytes");
}

TEST_CASE("Sweeping is invisible: no revision, no change") {
  Subject subject;
  subject.MustDo(Put("gone", "v").Until(kStart + 10));
  const Revision alive = subject.MustDo(Put("alive", "v").Until(kStart + 11));
  subject.clock().Advance(10);
  CHECK(subject.SweepAll() == 1);
  CHECK(subject.engine().Stats().revision == alive);
  CHECK(subject.All() == std::vector<Row>{{"alive", "v", alive, kStart + 11, kNs}});
}

TEST_CASE("Sweeping honours its budget and says that there is more") {
  Subject subject;
  for (int i = 0; i < 100; ++i)
    subject.MustDo(Put("k" + std::to_string(i), "v").Until(kStart + 10));
  subject.clock().Advance(10);
  uint64_t removed = 0;
  for (int step = 0; step < 200 && removed < 100; ++step) {
    const auto result = subject.engine().SweepExpired(7);
    REQUIRE(result.ok());
    CHECK(result->removed <= 7);
    removed += result->removed;
    CHECK(subject.ledger().Get(kNs).entries == static_cast<int64_t>(100 - removed));
    if (removed < 100) CHECK(result->more);
  }
  CHECK(removed == 100);
}

TEST_CASE("An entry that got a new deadline in time is not swept") {
  Subject subject;
  subject.MustDo(Put("touched", "v").Until(kStart + 10));
  subject.MustDo(Put("put", "v").Until(kStart + 10));
  subject.MustDo(Put("kept", "1").Until(kStart + 10));
  subject.MustDo(Touch("touched", kStart + 20));
  subject.MustDo(Put("put", "w"));
  subject.MustDo(Add("kept", 1).Until(kStart + 99).KeepDeadline());
  subject.clock().Advance(10);
  CHECK(subject.SweepAll() == 1);
  CHECK(subject.All().size() == 2);
  subject.clock().Advance(10);
  CHECK(subject.SweepAll() == 1);
  CHECK(subject.All().size() == 1);
}

TEST_CASE("A key that was made again after it expired is not swept") {
  Subject subject;
  subject.MustDo(Put("k", "old").Until(kStart + 10));
  subject.clock().Advance(10);
  subject.MustDo(Put("k", "new").IfAbsent());
  CHECK(subject.SweepAll() == 0);
  CHECK(subject.Do(Get("k")).value == "new");
  CHECK(UsageOf(subject) == "1 entries, 4 bytes");
}

TEST_CASE("A swept key starts anew, with a higher revision") {
  Subject subject;
  const Revision old = subject.MustDo(Put("k", "v").Until(kStart + 10));
  subject.clock().Advance(10);
  subject.SweepAll();
  CHECK(Why(subject.Do(Put("k", "w").IfRevision(old))) == "ABORTED REVISION_MISMATCH");
  CHECK(subject.MustDo(Put("k", "w").IfAbsent()) > old);
}

TEST_CASE("Sweeping covers every namespace") {
  Subject subject;
  for (const NamespaceId ns : {0, 1, 2, 500})
    subject.MustDo(Put("k", "v").In(ns).Until(kStart + 10));
  subject.clock().Advance(10);
  CHECK(subject.SweepAll() == 4);
  for (const NamespaceId ns : {0, 1, 2, 500}) CHECK(UsageOf(subject, ns) == "0 entries, 0 bytes");
}

TEST_CASE("Sweeping leaves what an open snapshot may still show") {
  Subject subject;
  subject.MustDo(Put("k", "v").Until(kStart + 10));
  auto snapshot = subject.Snapshot();
  subject.clock().Advance(10);
  CHECK(subject.SweepAll() == 0);
  CHECK(UsageOf(subject) == "1 entries, 2 bytes");
  CHECK_FALSE(subject.Do(Get("k")).found);
  CHECK(ReadAll(*snapshot, snapshot->as_of()).size() == 1);
  CHECK(ReadAll(*snapshot, subject.now()).empty());
  snapshot.reset();
  subject.SweepAll();
  CHECK(UsageOf(subject) == "0 entries, 0 bytes");
}

}  // namespace
}  // namespace tarn::testing
