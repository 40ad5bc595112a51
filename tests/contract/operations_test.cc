// Each operation on a missing, an existing and an expired key, under each precondition, in both
// modes; and what each result says.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

enum class State { kMissing, kDeleted, kExisting, kExpired };
enum class Condition { kNone, kAbsent, kPresent, kRightRevision, kWrongRevision };

constexpr UnixMs kNewDeadline = kStart + 9'000;

// Brings the key into the state, and gives the revision of what was last written to it.
Revision Prepare(Subject& subject, const std::string& key, State state) {
  if (state == State::kMissing) return subject.MustDo(Put("other", "1"));
  const Revision revision = subject.MustDo(Put(key, "41").Until(subject.now() + 1'000));
  if (state == State::kDeleted) subject.MustDo(Delete(key));
  if (state == State::kExpired) subject.clock().Advance(1'000);
  return revision;
}

Op Under(Condition condition, const Op& op, Revision revision) {
  switch (condition) {
    case Condition::kNone:
      return op;
    case Condition::kAbsent:
      return op.IfAbsent();
    case Condition::kPresent:
      return op.IfPresent();
    case Condition::kRightRevision:
      return op.IfRevision(revision);
    case Condition::kWrongRevision:
      return op.IfRevision(revision + 1);
  }
  return op;
}

std::string ExpectedOutcome(State state, Condition condition) {
  const bool exists = state == State::kExisting;
  switch (condition) {
    case Condition::kNone:
      return "OK";
    case Condition::kAbsent:
      return exists ? "FAILED_PRECONDITION ALREADY_EXISTS" : "OK";
    case Condition::kPresent:
      return exists ? "OK" : "FAILED_PRECONDITION KEY_NOT_FOUND";
    case Condition::kRightRevision:
      return exists ? "OK" : "ABORTED REVISION_MISMATCH";
    case Condition::kWrongRevision:
      return "ABORTED REVISION_MISMATCH";
  }
  return "?";
}

// One line of the table: an operation, and what its key holds after it if it is done.
struct Line {
  Op op;
  std::string on_existing;  // Value afterwards; "-" for none.
  std::string on_none;
};

std::vector<Line> Lines(const std::string& key, UnixMs deadline) {
  return {
      {Get(key), "41", "-"},
      {Put(key, "new").Until(deadline), "new", "new"},
      {Delete(key), "-", "-"},
      {Take(key), "-", "-"},
      {Add(key, 1).Until(deadline), "42", "1"},
      {Append(key, "!").Until(deadline), "41!", "!"},
      {Touch(key, deadline), "41", "-"},
  };
}

std::string ValueAt(Subject& subject, const std::string& key) {
  const Answer answer = subject.Do(Get(key));
  return answer.found ? answer.value : "-";
}

std::string ExpectedValue(const Line& line, State state, bool done) {
  const bool exists = state == State::kExisting;
  if (!done) return exists ? "41" : "-";
  return exists ? line.on_existing : line.on_none;
}

void CheckOne(Subject& subject, size_t line_number, State state, Condition condition,
              BatchMode mode) {
  const std::string key = absl::StrCat("k", subject.engine().Stats().revision);
  const Revision revision = Prepare(subject, key, state);
  const Line line = Lines(key, subject.now() + 9'000)[line_number];
  INFO(Show(line.op) << ", state " << static_cast<int>(state) << ", condition "
                     << static_cast<int>(condition)
                     << (mode == BatchMode::kAtomic ? ", atomic" : ", independent"));
  const BatchAnswer answer =
      Submit(subject.engine(), mode, {Under(condition, line.op, revision)})->Wait();
  const std::string expected = ExpectedOutcome(state, condition);
  if (mode == BatchMode::kAtomic) {
    CHECK(Why(answer) == expected);
    CHECK(answer.failed_operation == 0);
  } else {
    CHECK(Why(answer) == "OK");
    CHECK(Why(answer.results.at(0)) == expected);
  }
  CHECK(ValueAt(subject, key) == ExpectedValue(line, state, expected == "OK"));
}

TEST_CASE(
    "Each operation does what the table says to missing, deleted, existing and expired keys") {
  Subject subject;
  for (size_t line = 0; line < Lines("", 0).size(); ++line) {
    for (const State state :
         {State::kMissing, State::kDeleted, State::kExisting, State::kExpired}) {
      for (const Condition condition : {Condition::kNone, Condition::kAbsent, Condition::kPresent,
                                        Condition::kRightRevision, Condition::kWrongRevision}) {
        CheckOne(subject, line, state, condition, BatchMode::kIndependent);
        CheckOne(subject, line, state, condition, BatchMode::kAtomic);
      }
    }
  }
}

TEST_CASE("A get answers with value, revision and deadline of the entry") {
  Subject subject;
  const Revision revision = subject.MustDo(Put("k", "v").Until(kNewDeadline));
  const Answer answer = subject.Do(Get("k"));
  CHECK(answer.found);
  CHECK(answer.value == "v");
  CHECK(answer.revision == revision);
  CHECK(answer.deadline == kNewDeadline);
}

TEST_CASE("A get of a missing key is an answer without an entry") {
  Subject subject;
  const Answer answer = subject.Do(Get("k"));
  CHECK(Why(answer) == "OK");
  CHECK_FALSE(answer.found);
  CHECK(answer.value.empty());
  CHECK(answer.revision == 0);
}

TEST_CASE("A put answers with whether there was an entry, its revision and its deadline") {
  Subject subject;
  const Answer created = subject.Do(Put("k", "1").Until(kNewDeadline));
  CHECK_FALSE(created.found);
  CHECK(created.deadline == kNewDeadline);
  CHECK(created.revision == subject.Do(Get("k")).revision);
  const Answer replaced = subject.Do(Put("k", "2"));
  CHECK(replaced.found);
  CHECK(replaced.deadline == kNever);
  CHECK(replaced.revision == subject.Do(Get("k")).revision);
}

TEST_CASE("A put over an expired entry found nothing") {
  Subject subject;
  subject.MustDo(Put("k", "1").Until(kStart + 1));
  subject.clock().Advance(1);
  CHECK_FALSE(subject.Do(Put("k", "2")).found);
}

TEST_CASE("A delete answers with whether there was an entry, and a revision only if there was") {
  Subject subject;
  const Revision put = subject.MustDo(Put("k", "v"));
  const Answer first = subject.Do(Delete("k"));
  CHECK(first.found);
  CHECK(first.revision > put);
  const Answer second = subject.Do(Delete("k"));
  CHECK(Why(second) == "OK");
  CHECK_FALSE(second.found);
  CHECK(second.revision == 0);
}

TEST_CASE("A take answers as a delete, with the value it took") {
  Subject subject;
  const Revision put = subject.MustDo(Put("k", "v"));
  const Answer first = subject.Do(Take("k"));
  CHECK(first.found);
  CHECK(first.value == "v");
  CHECK(first.revision > put);
  const Answer second = subject.Do(Take("k"));
  CHECK_FALSE(second.found);
  CHECK(second.value.empty());
  CHECK(second.revision == 0);
}

TEST_CASE("An add answers with the sum, its revision and the deadline") {
  Subject subject;
  const Answer created = subject.Do(Add("k", -5).Until(kNewDeadline));
  CHECK_FALSE(created.found);
  CHECK(created.number == -5);
  CHECK(created.deadline == kNewDeadline);
  const Answer added = subject.Do(Add("k", 7));
  CHECK(added.found);
  CHECK(added.number == 2);
  CHECK(added.deadline == kNever);
  CHECK(added.revision > created.revision);
  CHECK(subject.Do(Get("k")).revision == added.revision);
}

TEST_CASE("An append answers with the size of the whole value, its revision and the deadline") {
  Subject subject;
  const Answer created = subject.Do(Append("k", "abc").Until(kNewDeadline));
  CHECK_FALSE(created.found);
  CHECK(created.size == 3);
  CHECK(created.deadline == kNewDeadline);
  const Answer appended = subject.Do(Append("k", "de").Until(kNewDeadline).KeepDeadline());
  CHECK(appended.found);
  CHECK(appended.size == 5);
  CHECK(appended.deadline == kNewDeadline);
  CHECK(subject.Do(Get("k")).value == "abcde");
}

TEST_CASE("A touch changes the deadline and the revision, and nothing else") {
  Subject subject;
  const Revision put = subject.MustDo(Put("k", "v").Until(kStart + 1'000));
  const Answer touched = subject.Do(Touch("k", kNewDeadline));
  CHECK(touched.found);
  CHECK(touched.revision > put);
  CHECK(touched.deadline == kNewDeadline);
  const Answer answer = subject.Do(Get("k"));
  CHECK(answer.value == "v");
  CHECK(answer.revision == touched.revision);
  CHECK(answer.deadline == kNewDeadline);
}

TEST_CASE("A touch of a missing key finds nothing and creates nothing") {
  Subject subject;
  const Answer touched = subject.Do(Touch("k", kNewDeadline));
  CHECK(Why(touched) == "OK");
  CHECK_FALSE(touched.found);
  CHECK(touched.revision == 0);
  CHECK_FALSE(subject.Do(Get("k")).found);
}

TEST_CASE("A touch can take the deadline away") {
  Subject subject;
  subject.MustDo(Put("k", "v").Until(kStart + 1'000));
  subject.MustDo(Touch("k", kNever));
  subject.clock().Advance(1'000'000);
  CHECK(subject.Do(Get("k")).found);
}

TEST_CASE("Preconditions hold for gets too") {
  Subject subject;
  const Revision revision = subject.MustDo(Put("k", "v"));
  CHECK(subject.Do(Get("k").IfRevision(revision)).value == "v");
  const Answer refused = subject.Do(Get("k").IfRevision(revision + 1));
  CHECK(Why(refused) == "ABORTED REVISION_MISMATCH");
  CHECK(refused.value.empty());
}

TEST_CASE("Compare and set succeeds once for each revision") {
  Subject subject;
  const Revision first = subject.MustDo(Put("k", "1"));
  const Revision second = subject.MustDo(Put("k", "2").IfRevision(first));
  CHECK(Why(subject.Do(Put("k", "3").IfRevision(first))) == "ABORTED REVISION_MISMATCH");
  CHECK(subject.Do(Get("k")).revision == second);
  CHECK(subject.Do(Get("k")).value == "2");
}

}  // namespace
}  // namespace tarn::testing
