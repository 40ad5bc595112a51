// Atomic and independent batches: what their operations see of each other, and what a failure
// undoes.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

TEST_CASE("Gets of an atomic batch see the state before the commit, wherever they stand") {
  Subject subject;
  const Revision old = subject.MustDo(Put("a", "old"));
  const BatchAnswer answer =
      subject.Atomic({Get("a"), Put("a", "new"), Get("a"), Put("b", "new"), Get("b")});
  REQUIRE(Why(answer) == "OK");
  CHECK(answer.results.at(0).value == "old");
  CHECK(answer.results.at(2).value == "old");
  CHECK(answer.results.at(2).revision == old);
  CHECK_FALSE(answer.results.at(4).found);
  CHECK(subject.Do(Get("a")).value == "new");
}

TEST_CASE("Preconditions of an atomic batch see the state before the commit") {
  Subject subject;
  const Revision a = subject.MustDo(Put("a", "1"));
  const BatchAnswer answer = subject.Atomic({Delete("a").IfRevision(a), Get("a").IfPresent(),
                                             Put("b", "1").IfAbsent(), Get("b").IfAbsent()});
  CHECK(Why(answer) == "OK");
  CHECK_FALSE(subject.Do(Get("a")).found);
  CHECK(subject.Do(Get("b")).found);
}

TEST_CASE("The same key may be read many times in one atomic batch") {
  Subject subject;
  subject.MustDo(Put("k", "v"));
  const BatchAnswer answer = subject.Atomic({Get("k"), Get("k"), Get("k")});
  REQUIRE(answer.results.size() == 3);
  for (const Answer& result : answer.results) CHECK(result.value == "v");
}

TEST_CASE("An atomic batch of takes hands out what it removed") {
  Subject subject;
  subject.MustDo(Put("a", "1"));
  subject.MustDo(Put("b", "2"));
  const BatchAnswer answer = subject.Atomic({Take("b"), Take("a"), Take("c")});
  CHECK(answer.results.at(0).value == "2");
  CHECK(answer.results.at(1).value == "1");
  CHECK_FALSE(answer.results.at(2).found);
  CHECK(subject.All().empty());
}

// A batch of changes with one operation in its middle that fails.
struct Failing {
  Op op;
  std::string outcome;
};

std::vector<Failing> FailingOperations(Revision wrong) {
  return {
      {Put("here", "x").IfAbsent(), "FAILED_PRECONDITION ALREADY_EXISTS"},
      {Put("nowhere", "x").IfPresent(), "FAILED_PRECONDITION KEY_NOT_FOUND"},
      {Get("nowhere").IfPresent(), "FAILED_PRECONDITION KEY_NOT_FOUND"},
      {Delete("here").IfRevision(wrong), "ABORTED REVISION_MISMATCH"},
      {Touch("nowhere", kNever).IfRevision(wrong), "ABORTED REVISION_MISMATCH"},
      {Add("here", 1), "FAILED_PRECONDITION NOT_AN_INTEGER"},
      {Add("largest", 1), "OUT_OF_RANGE INTEGER_OVERFLOW"},
      {Append("here", std::string(2 << 20, 'x')), "INVALID_ARGUMENT VALUE_TOO_LARGE"},
  };
}

Revision PrepareForFailure(Subject& subject) {
  subject.MustDo(Put("largest", "9223372036854775807"));
  subject.MustDo(Put("kept", "old").Until(kStart + 100));
  return subject.MustDo(Put("here", "text"));
}

TEST_CASE("Any failing operation undoes the whole atomic batch and is named") {
  Subject subject;
  const Revision here = PrepareForFailure(subject);
  const std::vector<Row> before = subject.All();
  const std::string usage = UsageOf(subject);
  for (const Failing& failing : FailingOperations(here + 1'000)) {
    INFO(Show(failing.op));
    const BatchAnswer answer = subject.Atomic(
        {Put("new", "1"), Delete("kept"), failing.op, Put("later", "1").In(2), Add("counter", 1)});
    CHECK(Why(answer) == failing.outcome);
    CHECK(answer.failed_operation == 2);
    CHECK(answer.results.empty());
    CHECK(answer.revision == 0);
    CHECK(subject.All() == before);
    CHECK(subject.All(2).empty());
    CHECK(UsageOf(subject) == usage);
    CHECK(UsageOf(subject, 2) == "0 entries, 0 bytes");
  }
}

TEST_CASE("A failing operation of an independent batch fails alone") {
  Subject subject;
  const Revision here = PrepareForFailure(subject);
  for (const Failing& failing : FailingOperations(here + 1'000)) {
    INFO(Show(failing.op));
    const BatchAnswer answer = subject.Independent({Add("first", 1), failing.op, Add("last", 1)});
    CHECK(Why(answer) == "OK");
    CHECK(Why(answer.results.at(0)) == "OK");
    CHECK(Why(answer.results.at(1)) == failing.outcome);
    CHECK(Why(answer.results.at(2)) == "OK");
  }
  CHECK(subject.Do(Get("first")).value == "8");
  CHECK(subject.Do(Get("last")).value == "8");
  CHECK(subject.Do(Get("here")).value == "text");
}

TEST_CASE("The operations of an independent batch see those before them") {
  Subject subject;
  const BatchAnswer answer =
      subject.Independent({Get("k"), Put("k", "1"), Get("k"), Add("k", 4), Append("k", "0"),
                           Get("k"), Take("k"), Get("k"), Put("k", "z").IfAbsent()});
  REQUIRE(answer.results.size() == 9);
  CHECK_FALSE(answer.results[0].found);
  CHECK(answer.results[2].value == "1");
  CHECK(answer.results[3].number == 5);
  CHECK(answer.results[4].size == 2);
  CHECK(answer.results[5].value == "50");
  CHECK(answer.results[6].value == "50");
  CHECK_FALSE(answer.results[7].found);
  CHECK(Why(answer.results[8]) == "OK");
  CHECK(subject.Do(Get("k")).value == "z");
}

TEST_CASE(
    "A revision precondition in an independent batch sees the revision of a change before it") {
  Subject subject;
  const Revision old = subject.MustDo(Put("k", "1"));
  const BatchAnswer answer =
      subject.Independent({Put("k", "2").IfRevision(old), Put("k", "3").IfRevision(old), Get("k")});
  CHECK(Why(answer.results.at(0)) == "OK");
  CHECK(Why(answer.results.at(1)) == "ABORTED REVISION_MISMATCH");
  CHECK(answer.results.at(2).value == "2");
}

TEST_CASE("Many operations on one key in an independent batch are done in order") {
  Subject subject;
  std::vector<Op> ops;
  std::string expected;
  for (int i = 0; i < 500; ++i) {
    const std::string digit(1, static_cast<char>('0' + i % 10));
    ops.push_back(Append("k", digit));
    expected += digit;
  }
  const BatchAnswer answer = subject.Independent(ops);
  CHECK(answer.results.back().size == 500);
  CHECK(subject.Do(Get("k")).value == expected);
}

TEST_CASE("A batch as large as the limit is done whole in both modes") {
  Subject subject;
  const storage::Limits limits;
  std::vector<Op> puts;
  std::vector<Op> gets;
  for (size_t i = 0; i < limits.max_batch_operations; ++i) {
    puts.push_back(Put("key" + std::to_string(i), std::to_string(i)));
    gets.push_back(Get("key" + std::to_string(i)));
  }
  CHECK(Why(subject.Atomic(puts)) == "OK");
  const BatchAnswer read = subject.Independent(gets);
  REQUIRE(read.results.size() == gets.size());
  for (size_t i = 0; i < gets.size(); ++i) REQUIRE(read.results[i].value == std::to_string(i));
  CHECK(subject.Atomic(gets).results.back().value == std::to_string(gets.size() - 1));
  CHECK(subject.All().size() == puts.size());
}

TEST_CASE("One batch may hold keys of several namespaces") {
  Subject subject;
  subject.Atomic(
      {Put("k", "1").In(1), Put("k", "2").In(2), Put("k", "3").In(storage::kSystemNamespace)});
  const BatchAnswer answer =
      subject.Independent({Get("k").In(1), Get("k").In(2), Get("k").In(0), Get("k").In(3)});
  CHECK(answer.results.at(0).value == "1");
  CHECK(answer.results.at(1).value == "2");
  CHECK(answer.results.at(2).value == "3");
  CHECK_FALSE(answer.results.at(3).found);
}

}  // namespace
}  // namespace tarn::testing
