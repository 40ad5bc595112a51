// Revisions: strictly increasing, never used twice, one for each commit.
#include <algorithm>
#include <set>
#include <vector>

#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

TEST_CASE("Every commit has a higher revision than all before it") {
  Subject subject;
  std::vector<Revision> revisions;
  for (int i = 0; i < 10; ++i) {
    revisions.push_back(subject.MustDo(Put("a", "1")));
    revisions.push_back(subject.MustDo(Add("b", 1)));
    revisions.push_back(subject.MustDo(Append("c", "1")));
    revisions.push_back(subject.MustDo(Touch("a", kNever)));
    revisions.push_back(subject.MustDo(Delete("a")));
    revisions.push_back(subject.MustDo(Put("other", "1").In(7)));
    revisions.push_back(subject.Atomic({Put("d", "1"), Put("e", "1")}).revision);
    revisions.push_back(subject.MustDo(Take("d")));
  }
  CHECK(std::is_sorted(revisions.begin(), revisions.end()));
  CHECK(std::set<Revision>(revisions.begin(), revisions.end()).size() == revisions.size());
}

TEST_CASE("Revisions count in the incarnation that was started") {
  Subject subject({}, Start::kEmpty);
  REQUIRE(subject.engine().WriteMeta({std::string(32, 'a'), 7}).ok());
  const Revision revision = subject.MustDo(Put("k", "v"));
  CHECK(storage::IncarnationOf(revision) == 7);
  CHECK(storage::CounterOf(revision) > 0);
}

TEST_CASE("Persisting a later incarnation as used up leaves the running counter alone") {
  Subject subject;
  const Revision before = subject.MustDo(Put("k", "v"));
  REQUIRE(subject.engine().WriteMeta({std::string(32, 'a'), 2}).ok());
  const Revision after = subject.MustDo(Put("k", "v"));
  CHECK(after > before);
  CHECK(storage::IncarnationOf(after) == 1);
}

TEST_CASE("A key that was deleted and made again never has an old revision") {
  Subject subject;
  std::set<Revision> seen;
  for (int i = 0; i < 20; ++i) {
    CHECK(seen.insert(subject.MustDo(Put("k", "v").IfAbsent())).second);
    CHECK(seen.insert(subject.MustDo(i % 2 == 0 ? Delete("k") : Take("k"))).second);
  }
}

TEST_CASE("An old revision does not match the new life of a key") {
  Subject subject;
  const Revision old = subject.MustDo(Put("k", "old"));
  subject.MustDo(Delete("k"));
  subject.MustDo(Put("k", "new"));
  CHECK(Why(subject.Do(Put("k", "late").IfRevision(old))) == "ABORTED REVISION_MISMATCH");
  CHECK(Why(subject.Do(Delete("k").IfRevision(old))) == "ABORTED REVISION_MISMATCH");
  CHECK(subject.Do(Get("k")).value == "new");
}

TEST_CASE("An atomic batch has one revision, which is that of all its results and entries") {
  Subject subject;
  const Revision before = subject.MustDo(Put("old", "v"));
  const BatchAnswer answer = subject.Atomic(
      {Put("a", "1"), Add("b", 1), Append("c", "x"), Delete("old"), Put("d", "1").In(9)});
  REQUIRE(Why(answer) == "OK");
  CHECK(answer.revision > before);
  for (const Answer& result : answer.results) CHECK(result.revision == answer.revision);
  for (const char* key : {"a", "b", "c"}) CHECK(subject.Do(Get(key)).revision == answer.revision);
  CHECK(subject.Do(Get("d").In(9)).revision == answer.revision);
}

TEST_CASE("An atomic batch that changed nothing has revision 0") {
  Subject subject;
  subject.MustDo(Put("k", "v"));
  CHECK(subject.Atomic({Get("k"), Get("missing")}).revision == 0);
  CHECK(subject.Atomic({Delete("missing"), Take("gone"), Touch("nothing", kNever), Get("k")})
            .revision == 0);
}

TEST_CASE("An operation that changed nothing has no revision, its neighbours in the commit do") {
  Subject subject;
  const BatchAnswer answer = subject.Atomic({Delete("missing"), Put("k", "v")});
  REQUIRE(answer.revision != 0);
  CHECK(answer.results.at(0).revision == 0);
  CHECK(answer.results.at(1).revision == answer.revision);
}

TEST_CASE(
    "An independent batch has a revision for each change, rising in list order, and none of its "
    "own") {
  Subject subject;
  const BatchAnswer answer =
      subject.Independent({Put("a", "1"), Put("a", "2"), Put("b", "1"), Delete("a"), Add("c", 1)});
  CHECK(answer.revision == 0);
  for (size_t i = 1; i < answer.results.size(); ++i) {
    CHECK(answer.results.at(i).revision > answer.results.at(i - 1).revision);
  }
}

TEST_CASE("What changes nothing does not move the engine's revision") {
  Subject subject;
  const Revision revision = subject.MustDo(Put("k", "v").Until(kStart + 5));
  subject.Do(Get("k"));
  subject.Do(Delete("missing"));
  subject.Do(Touch("missing", kNever));
  subject.clock().Advance(10);
  subject.SweepAll();
  CHECK(subject.engine().Stats().revision == revision);
}

TEST_CASE("The engine's revision is that of the newest commit") {
  Subject subject;
  subject.MustDo(Put("a", "1"));
  const Revision revision = subject.MustDo(Put("b", "1"));
  CHECK(subject.engine().Stats().revision == revision);
}

}  // namespace
}  // namespace tarn::testing
