// What the Store does with batches: admission, merging, and nothing more than the engine needs.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/storage/store_subject.h"

namespace tarn::storage {
namespace {

using testing::Brief;

std::string Briefly(const BatchAnswer& answer) {
  if (!answer.status.ok()) return Brief(answer.status);
  std::string text;
  for (const Answer& one : answer.results) {
    if (!text.empty()) text += ", ";
    if (!one.status.ok())
      text += Brief(one.status);
    else
      text += one.found ? "found " + one.value : "none";
  }
  return text;
}

TEST_CASE("what was put is got, in the namespace it was put into and in no other") {
  StoreSubject subject;
  REQUIRE(subject.Do(Put("k", "of default")).status.ok());
  REQUIRE(subject.Do(Put("k", "of orders"), "orders").status.ok());
  CHECK(subject.Value("k") == "of default");
  CHECK(subject.Value("k", "default") == "of default");
  CHECK(subject.Value("k", "orders") == "of orders");
  CHECK(subject.Value("k", "other") == "-");
}

TEST_CASE("a bad operation of an independent batch fails alone, and results stay in order") {
  StoreSubject subject;
  const std::string large(4097, 'k');
  CHECK(Briefly(
            subject.Batch(BatchMode::kIndependent, {Get(large), Put("a", "1"), Touch("a"), Get("a"),
                                                    Get(""), Put("b", "2").For(-1), Get("b")})) ==
        "INVALID_ARGUMENT KEY_TOO_LARGE, none, INVALID_ARGUMENT INVALID_TTL, found 1, "
        "INVALID_ARGUMENT INVALID_KEY, INVALID_ARGUMENT INVALID_TTL, none");
}

TEST_CASE("an independent batch of bad operations alone reaches no engine") {
  StoreSubject subject;
  const size_t before = subject.engine->batches();
  CHECK(Briefly(subject.Batch(BatchMode::kIndependent, {Get(""), Touch("a")})) ==
        "INVALID_ARGUMENT INVALID_KEY, INVALID_ARGUMENT INVALID_TTL");
  CHECK(subject.engine->batches() == before);
}

TEST_CASE("a bad operation fails the whole atomic batch, and is named") {
  StoreSubject subject;
  const size_t before = subject.engine->batches();
  const BatchAnswer answer =
      subject.Batch(BatchMode::kAtomic, {Put("a", "1"), Get("b"), Put("", "2"), Touch("x")});
  CHECK(Brief(answer.status) == "INVALID_ARGUMENT INVALID_KEY");
  CHECK(answer.failed_operation == 2);
  CHECK(answer.results.empty());
  CHECK(subject.engine->batches() == before);
  CHECK(subject.Value("a") == "-");
}

TEST_CASE("a key mutated twice in an atomic batch is refused; independently it is not") {
  StoreSubject subject;
  const std::vector<Op> ops{Put("a", "1"), Put("b", "2"), Append("a", "3")};
  const BatchAnswer answer = subject.Batch(BatchMode::kAtomic, ops);
  CHECK(Brief(answer.status) == "INVALID_ARGUMENT DUPLICATE_KEY");
  CHECK(answer.failed_operation == 2);
  CHECK(subject.Value("b") == "-");
  CHECK(subject.Batch(BatchMode::kIndependent, ops).status.ok());
  CHECK(subject.Value("a") == "13");
}

TEST_CASE("a key may be read and mutated once in an atomic batch") {
  StoreSubject subject;
  CHECK(Briefly(subject.Batch(BatchMode::kAtomic, {Get("a"), Put("a", "1"), Get("a")})) ==
        "none, none, none");
  CHECK(subject.Value("a") == "1");
}

TEST_CASE("an atomic batch has one revision, an independent one a revision for each") {
  StoreSubject subject;
  const BatchAnswer atomic = subject.Batch(BatchMode::kAtomic, {Put("a", "1"), Put("b", "2")});
  CHECK(atomic.results[0].revision == atomic.revision);
  CHECK(atomic.results[1].revision == atomic.revision);
  const BatchAnswer independent =
      subject.Batch(BatchMode::kIndependent, {Put("a", "1"), Put("b", "2")});
  CHECK(independent.results[0].revision > atomic.revision);
  CHECK(independent.results[1].revision > independent.results[0].revision);
}

TEST_CASE("an empty batch and one with too many operations are refused as a whole") {
  const auto mode = GENERATE(BatchMode::kAtomic, BatchMode::kIndependent);
  StoreSubject subject;
  CHECK(Brief(subject.Batch(mode, {}).status) == "INVALID_ARGUMENT INVALID_REQUEST");
  CHECK(Brief(subject.Batch(mode, std::vector<Op>(4097, Get("a"))).status) ==
        "INVALID_ARGUMENT BATCH_TOO_LARGE");
  CHECK(subject.Batch(mode, std::vector<Op>(4096, Get("a"))).status.ok());
}

TEST_CASE("an engine's error reaches the caller as it is, whatever else was refused") {
  StoreSubject subject;
  const absl::Status full =
      base::MakeError(absl::StatusCode::kResourceExhausted, base::Reason::kMemoryLimit, "no room");
  subject.engine->FailBatches(full, IsUserWrite);
  CHECK(subject.Batch(BatchMode::kIndependent, {Put("a", "1"), Get("")}).status == full);
  CHECK(subject.Batch(BatchMode::kAtomic, {Put("a", "1")}).status == full);
  subject.engine->FailBatches(absl::OkStatus());
  CHECK(subject.Value("a") == "-");
}

TEST_CASE("a completion that comes late, on another thread, is called once with everything") {
  StoreSubject subject;
  subject.engine->Hold(AnyBatch);
  const auto whole = subject.Submit("", BatchMode::kIndependent, {Put("a", "1"), Get("a")});
  const auto part = subject.Submit("", BatchMode::kIndependent, {Get("a"), Get("")});
  CHECK_FALSE(whole->done());
  CHECK_FALSE(part->done());
  subject.engine->Release();
  CHECK(whole->completions == 1);
  CHECK(Briefly(*whole->answer) == "none, found 1");
  CHECK(part->completions == 1);
  CHECK(Briefly(*part->answer) == "found 1, INVALID_ARGUMENT INVALID_KEY");
}

TEST_CASE("a wrong revision, a missing key included, is a lost race and never creates") {
  StoreSubject subject;
  CHECK(Brief(subject.Do(Put("k", "v").IfRevision(7)).status) == "ABORTED REVISION_MISMATCH");
  CHECK(subject.Value("k") == "-");
  const Revision revision = subject.Do(Put("k", "v")).revision;
  REQUIRE(subject.Do(Delete("k")).found);
  CHECK(Brief(subject.Do(Put("k", "w").IfRevision(revision)).status) ==
        "ABORTED REVISION_MISMATCH");
}

TEST_CASE("a revision from before a delete does not match the key's new life") {
  StoreSubject subject;
  const Revision first = subject.Do(Put("k", "v")).revision;
  REQUIRE(subject.Do(Delete("k")).found);
  REQUIRE(subject.Do(Put("k", "w")).revision > first);
  CHECK(Brief(subject.Do(Put("k", "x").IfRevision(first)).status) == "ABORTED REVISION_MISMATCH");
}

TEST_CASE("a quota refuses growth, and lets reads and deletes pass") {
  StoreSubject subject;
  REQUIRE(subject.Create("small", {.quota = {.max_entries = 1}}).ok());
  REQUIRE(subject.Do(Put("a", "1"), "small").status.ok());
  CHECK(Brief(subject.Do(Put("b", "2"), "small").status) == "RESOURCE_EXHAUSTED QUOTA_EXCEEDED");
  CHECK(subject.Do(Put("a", "2"), "small").status.ok());
  CHECK(subject.Value("a", "small") == "2");
  CHECK(subject.Do(Delete("a"), "small").found);
  CHECK(subject.Do(Put("b", "2"), "small").status.ok());
}

TEST_CASE("no client can reach what Tarn keeps about itself") {
  StoreSubject subject;
  REQUIRE(subject.Create("orders").ok());
  for (const char* ns : {"default", "orders"}) {
    CHECK(subject.Value("ns/orders", ns) == "-");
    REQUIRE(subject.Do(Put("ns/orders", "mine"), ns).status.ok());
    CHECK(subject.Do(Delete("ns/orders"), ns).found);
  }
  CHECK(subject.Names() == "default orders");
}

}  // namespace
}  // namespace tarn::storage
