// Counting and deleting whole ranges.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/storage/store_subject.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using testing::Value;

void Fill(StoreSubject& subject, const std::string& ns, int count) {
  std::vector<Op> ops;
  for (int i = 0; i < count; ++i) ops.push_back(Put("k" + std::to_string(i), "v"));
  for (size_t i = 0; i < ops.size(); i += 4000) {
    const auto end = ops.begin() + static_cast<std::ptrdiff_t>(std::min(ops.size(), i + 4000));
    const std::vector<Op> part(ops.begin() + static_cast<std::ptrdiff_t>(i), end);
    if (!subject.Batch(BatchMode::kIndependent, part, ns).status.ok())
      throw std::runtime_error("no");
  }
}

// Asks to stop after so many answers of no.
StopRequested StopAfter(int steps) {
  return [left = std::make_shared<int>(steps)] { return --*left < 0; };
}

TEST_CASE("counting gives the number of entries of a range, at one revision") {
  StoreSubject subject;
  Fill(subject, "", 10'000);
  const CountResult all = Value(subject.Count(""));
  CHECK(all.entries == 10'000);
  CHECK(all.revision > 0);
  CHECK(Value(subject.Count("", {.prefix = "k999"})).entries == 11);
  CHECK(Value(subject.Count("", {.start = "k5", .end = "k5"})).entries == 0);
  CHECK(Value(subject.Count("unknown")).entries == 0);
  CHECK(subject.Names() == "default");
}

TEST_CASE("counting and deleting leave what has expired out") {
  StoreSubject subject;
  Fill(subject, "", 5);
  REQUIRE(subject.Do(Put("k1", "v").For(1000)).status.ok());
  REQUIRE(subject.Do(Put("k3", "v").For(2000)).status.ok());
  subject.clock.Advance(1000);
  CHECK(Value(subject.Count("")).entries == 4);
  subject.clock.Advance(1000);
  CHECK(Value(subject.DeleteRange("")).entries == 3);
}

TEST_CASE("a count sees the range as it was when it began, however long it takes") {
  StoreSubject subject;
  Fill(subject, "", 9000);
  Outcome<CountResult> outcome;
  subject.store().Count("", {}, nullptr, outcome.Callback());
  REQUIRE(subject.executor.RunOne());
  CHECK_FALSE(outcome.given());
  REQUIRE(subject.Do(Delete("k8999")).found);
  subject.Settle();
  CHECK(Value(outcome.Take()).entries == 9000);
}

TEST_CASE("long work gives way to others after each page, and stops when it is asked to") {
  StoreSubject subject;
  Fill(subject, "", 9000);
  Outcome<CountResult> count;
  subject.store().Count("", {}, StopAfter(2), count.Callback());
  CHECK(subject.executor.RunAll() == 3);
  CHECK(Brief(count.Take()) == "CANCELLED");

  Outcome<DeleteRangeResult> deletion;
  subject.store().DeleteRange("", {}, {}, StopAfter(2), deletion.Callback());
  subject.Settle();
  CHECK(Brief(deletion.Take()) == "CANCELLED");
  CHECK(Value(subject.Count("")).entries == 9000 - 2 * 512);
  CHECK(Value(subject.DeleteRange("")).entries == 9000 - 2 * 512);
  CHECK(subject.engine->open_snapshots() == 0);
}

TEST_CASE("deleting a range removes its entries and no others") {
  StoreSubject subject;
  Fill(subject, "", 1500);
  Fill(subject, "other", 3);
  const DeleteRangeResult part = Value(subject.DeleteRange("", {.prefix = "k1"}));
  CHECK(part.entries == 611);
  CHECK(part.revision == subject.memory->Stats().revision);
  CHECK(subject.Value("k1") == "-");
  CHECK(subject.Value("k2") == "v");
  CHECK(Value(subject.DeleteRange("")).entries == 1500 - 611);
  CHECK(Value(subject.DeleteRange("")).entries == 0);
  CHECK(Value(subject.DeleteRange("")).revision == 0);
  CHECK(Value(subject.Count("other")).entries == 3);
}

TEST_CASE("what is written while a range is deleted stays, and is not counted") {
  StoreSubject subject;
  Fill(subject, "", 1000);
  Outcome<DeleteRangeResult> outcome;
  subject.store().DeleteRange("", {}, {}, nullptr, outcome.Callback());
  REQUIRE(subject.executor.RunOne());
  REQUIRE(subject.Do(Put("k999", "again")).found);
  REQUIRE_FALSE(subject.Do(Put("k0", "again")).found);
  subject.Settle();
  CHECK(Value(outcome.Take()).entries == 999);
  CHECK(subject.ScanAll({}).entries == "k0=again k999=again");
}

TEST_CASE("a commit of a deletion is bounded by the limit on batches") {
  StoreOptions options = StoreSubject::Options();
  options.limits.max_batch_operations = 10;
  StoreSubject subject(options);
  for (int i = 0; i < 35; ++i) REQUIRE(subject.Do(Put("k" + std::to_string(i), "v")).status.ok());
  const size_t before = subject.engine->batches();
  CHECK(Value(subject.DeleteRange("")).entries == 35);
  CHECK(subject.engine->batches() - before == 4);
}

TEST_CASE("an error in the middle ends the work and is given on") {
  StoreSubject subject;
  Fill(subject, "", 1500);
  const absl::Status broken = absl::InternalError("broken");
  subject.engine->FailBatches(broken, IsUserWrite);
  CHECK(subject.DeleteRange("").status() == broken);
  subject.engine->FailBatches(absl::OkStatus());
  subject.engine->FailOpenSnapshot(broken);
  CHECK(subject.Count("").status() == broken);
  subject.engine->FailOpenSnapshot(absl::OkStatus());
  subject.executor.Refuse(absl::ResourceExhaustedError("busy"));
  CHECK(Brief(subject.Count("")) == "RESOURCE_EXHAUSTED");
  subject.executor.Refuse(absl::OkStatus());
  CHECK(Value(subject.DeleteRange("")).entries == 1500);
}

TEST_CASE("an entry that cannot be deleted ends the work with its error") {
  StoreSubject subject;
  Fill(subject, "", 10);
  const absl::Status full = absl::ResourceExhaustedError("queue");
  subject.engine->FailOperations(full, IsUserWrite);
  CHECK(subject.DeleteRange("").status() == full);
  subject.engine->FailOperations(absl::OkStatus());
  CHECK(Value(subject.Count("")).entries == 10);
}

TEST_CASE("a snapshot that the engine ends ends the work") {
  StoreSubject subject;
  Fill(subject, "", 9000);
  Outcome<CountResult> outcome;
  subject.store().Count("", {}, nullptr, outcome.Callback());
  REQUIRE(subject.executor.RunOne());
  subject.engine->ExpireSnapshots();
  subject.Settle();
  CHECK(Brief(outcome.Take()) == "ABORTED SNAPSHOT_EXPIRED");
  CHECK(subject.engine->open_snapshots() == 0);
}

TEST_CASE("an executor that refuses the next step ends the work with its error") {
  StoreSubject subject;
  Fill(subject, "", 9000);
  Outcome<CountResult> outcome;
  subject.store().Count("", {}, nullptr, outcome.Callback());
  subject.executor.Refuse(absl::UnavailableError("draining"));
  subject.Settle();
  CHECK(Brief(outcome.Take()) == "UNAVAILABLE");
  CHECK(subject.engine->open_snapshots() == 0);
}

TEST_CASE("an engine that answers late, on threads of its own, is as good") {
  StoreSubject subject;
  Fill(subject, "", 9000);
  subject.engine->AnswerPagesLate();
  CHECK(Value(subject.Count("")).entries == 9000);
  CHECK(Value(subject.DeleteRange("", {.prefix = "k8"})).entries == 1111);
}

TEST_CASE("invalid bounds and names are refused at once") {
  StoreSubject subject;
  CHECK(Brief(subject.Count("", {.start = "b", .end = "a"})) == "INVALID_ARGUMENT INVALID_RANGE");
  CHECK(Brief(subject.DeleteRange("", {.prefix = "a", .end = "b"})) ==
        "INVALID_ARGUMENT INVALID_RANGE");
  CHECK(Brief(subject.DeleteRange("A")) == "INVALID_ARGUMENT INVALID_NAMESPACE_NAME");
}

}  // namespace
}  // namespace tarn::storage
