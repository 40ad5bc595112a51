// How namespaces come to be.
#include <memory>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/storage/store_subject.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using testing::Value;

absl::Status DiskFull() {
  return base::MakeError(absl::StatusCode::kResourceExhausted, base::Reason::kDiskFull, "full");
}
absl::Status OutcomeUnknown() {
  return base::MakeError(absl::StatusCode::kUnknown, base::Reason::kOutcomeUnknown, "who knows");
}

// --- there from the beginning ---

TEST_CASE("the default namespace always exists") {
  StoreSubject subject(StoreSubject::Explicit());
  CHECK(subject.Names() == "default");
  CHECK(subject.Do(Put("k", "v")).status.ok());
  REQUIRE(subject.Reopen().ok());
  CHECK(subject.Names() == "default");
  CHECK(subject.Value("k") == "v");
}

TEST_CASE("the default namespace can be changed, but not deleted") {
  StoreSubject subject;
  CHECK(subject.Update("default", {.default_ttl_ms = 1000}).ok());
  CHECK(subject.Do(Put("k", "v")).deadline == StoreSubject::kStart + 1000);
  CHECK(Brief(subject.Drop("default")) == "INVALID_ARGUMENT DEFAULT_NAMESPACE");
}

TEST_CASE("a store whose namespaces cannot be read or written does not open") {
  StoreSubject subject;
  subject.engine->FailOpenSnapshot(absl::InternalError("broken"));
  CHECK(subject.Reopen() == absl::InternalError("broken"));
  subject.engine->FailOpenSnapshot(absl::OkStatus());
  CHECK(subject.Reopen().ok());
}

TEST_CASE("a store that cannot create the default namespace does not open") {
  base::ManualClock clock(1);
  UsageLedger ledger;
  testing::ManualExecutor executor;
  Sequence random;
  const auto memory = Value(MemoryEngine::Open({}, clock, ledger));
  REQUIRE(memory->WriteMeta({std::string(32, 'a'), 1}).ok());
  FaultEngine engine(*memory);
  engine.FailBatches(DiskFull());
  const auto store = Store::Open({engine, ledger, clock, executor, random}, {}, {});
  CHECK(Brief(store) == "RESOURCE_EXHAUSTED DISK_FULL");
  CHECK(store.status().message() == "cannot create the default namespace: full");
}

// --- created by the first write ---

TEST_CASE("the first write creates its namespace, durably, before it runs") {
  StoreSubject subject;
  subject.engine->Hold(IsSystemWrite);
  const auto write = subject.Submit("orders", BatchMode::kIndependent, {Put("k", "v")});
  CHECK_FALSE(write->done());
  CHECK(subject.Names() == "default");
  subject.engine->Release();
  CHECK(write->completions == 1);
  CHECK(write->answer->results[0].status.ok());
  CHECK(subject.Names() == "default orders");
  CHECK(subject.Value("k", "orders") == "v");
}

TEST_CASE("put, increment and append create a namespace; whatever else finds nothing does not") {
  StoreSubject subject;
  REQUIRE(subject.Do(Put("k", "v"), "a").status.ok());
  REQUIRE(subject.Do(Add("k", 1), "b").status.ok());
  REQUIRE(subject.Do(Append("k", "v"), "c").status.ok());
  for (const Op& op : {Get("k"), Delete("k"), Take("k"), Touch("k").For(1)}) {
    const Answer answer = subject.Do(op, "d");
    CHECK(answer.status.ok());
    CHECK_FALSE(answer.found);
  }
  CHECK(subject.Names() == "a b c default");
}

TEST_CASE("preconditions are judged in a namespace that does not exist") {
  StoreSubject subject;
  CHECK(Brief(subject.Do(Get("k").IfPresent(), "x").status) == "FAILED_PRECONDITION KEY_NOT_FOUND");
  CHECK(Brief(subject.Do(Delete("k").IfRevision(3), "x").status) == "ABORTED REVISION_MISMATCH");
  CHECK(subject.Do(Get("k").IfAbsent(), "x").status.ok());
  CHECK(subject.Names() == "default");
}

TEST_CASE("a batch that is refused creates no namespace") {
  StoreSubject subject;
  CHECK(Brief(subject.Batch(BatchMode::kAtomic, {Put("a", "1"), Put("a", "2")}, "x").status) ==
        "INVALID_ARGUMENT DUPLICATE_KEY");
  CHECK(Brief(subject.Batch(BatchMode::kAtomic, {Put("a", "1"), Get("")}, "x").status) ==
        "INVALID_ARGUMENT INVALID_KEY");
  const BatchAnswer partly = subject.Batch(BatchMode::kIndependent, {Put("", "1"), Get("a")}, "x");
  CHECK(Brief(partly.results.at(0).status) == "INVALID_ARGUMENT INVALID_KEY");
  CHECK(partly.results.at(1).status.ok());
  CHECK(subject.Names() == "default");
}

TEST_CASE("a malformed name is refused, for reads and writes, with or without creation") {
  for (const StoreOptions& options : {StoreSubject::Options(), StoreSubject::Explicit()}) {
    StoreSubject subject(options);
    for (const Op& op : {Get("k"), Put("k", "v")}) {
      CHECK(Brief(subject.Do(op, "No").status) == "INVALID_ARGUMENT INVALID_NAMESPACE_NAME");
    }
    CHECK(Brief(subject.Count("No")) == "INVALID_ARGUMENT INVALID_NAMESPACE_NAME");
    CHECK(Brief(subject.Create("No")) == "INVALID_ARGUMENT INVALID_NAMESPACE_NAME");
    CHECK(Brief(subject.Create("")) == "INVALID_ARGUMENT INVALID_NAMESPACE_NAME");
    CHECK(Brief(subject.Update("No", {})) == "INVALID_ARGUMENT INVALID_NAMESPACE_NAME");
    CHECK(Brief(subject.Drop("No")) == "INVALID_ARGUMENT INVALID_NAMESPACE_NAME");
    CHECK(Brief(subject.store().GetNamespace("")) == "INVALID_ARGUMENT INVALID_NAMESPACE_NAME");
  }
}

TEST_CASE("where namespaces must be created, an unknown one is an error for reads too") {
  StoreSubject subject(StoreSubject::Explicit());
  const std::string kUnknown = "FAILED_PRECONDITION NAMESPACE_NOT_FOUND";
  CHECK(Brief(subject.Do(Put("k", "v"), "x").status) == kUnknown);
  CHECK(Brief(subject.Do(Get("k"), "x").status) == kUnknown);
  CHECK(Brief(subject.Do(Delete("k"), "x").status) == kUnknown);
  CHECK(Brief(subject.Count("x")) == kUnknown);
  CHECK(Brief(subject.DeleteRange("x")) == kUnknown);
  CHECK(Brief(subject.ScanAll({.ns = "x"}).status) == kUnknown);
  REQUIRE(subject.Create("x").ok());
  CHECK(subject.Do(Put("k", "v"), "x").status.ok());
}

TEST_CASE("batches that wait for their namespace keep their order, and so do those behind them") {
  StoreSubject subject;
  subject.engine->Hold(IsSystemWrite);
  std::vector<std::unique_ptr<Pending>> batches;
  for (const char* suffix : {"a", "b", "c", "d"}) {
    batches.push_back(subject.Submit("new", BatchMode::kIndependent, {Append("k", suffix)}));
  }
  const auto read =
      subject.Submit("new", BatchMode::kIndependent, {Get("k")}, ReadOrder::kSubmitted);
  CHECK_FALSE(read->done());
  subject.engine->Release();
  for (const auto& batch : batches) CHECK(batch->completions == 1);
  CHECK(read->answer->results[0].value == "abcd");
  CHECK(subject.Value("k", "new") == "abcd");
}

// A completion may submit the next batch of its caller at once.
TEST_CASE("a batch submitted from the completion of the first one comes behind those that wait") {
  StoreSubject subject;
  subject.engine->Hold(IsSystemWrite);
  std::unique_ptr<Pending> chained;
  const Op append = Append("k", "1");
  Operation first = append.View();
  subject.store().Run(
      {.ns = "new", .operations = absl::MakeSpan(&first, 1)}, [&](BatchResult& result) {
        REQUIRE(result.status.ok());
        chained = subject.Submit("new", BatchMode::kIndependent, {Append("k", "3")});
      });
  const auto second = subject.Submit("new", BatchMode::kIndependent, {Append("k", "2")});
  subject.engine->Release();
  CHECK(second->done());
  CHECK(chained->done());
  CHECK(subject.Value("k", "new") == "123");
}

TEST_CASE(
    "a namespace that cannot be created fails the batches that wait, and can be tried again") {
  StoreSubject subject;
  subject.engine->FailBatches(DiskFull(), IsSystemWrite);
  const BatchAnswer failed = subject.Batch(BatchMode::kIndependent, {Put("k", "v")}, "new");
  CHECK(Brief(failed.status) == "RESOURCE_EXHAUSTED DISK_FULL");
  CHECK(failed.status.message() == "cannot create the namespace: full");
  CHECK(subject.Value("k", "new") == "-");
  subject.engine->FailBatches(absl::OkStatus());
  CHECK(subject.Do(Put("k", "v"), "new").status.ok());
  CHECK(subject.Names() == "default new");
}

TEST_CASE("a disk that is full for long does not use up the numbers of namespaces") {
  StoreSubject subject;
  subject.engine->FailBatches(DiskFull(), IsSystemWrite);
  for (NamespaceId i = 0; i < UsageLedger::kMaxNamespaceIds + 10; ++i) {
    const auto failed = subject.Submit("new", BatchMode::kIndependent, {Put("k", "v")});
    if (Brief(failed->answer->status) != "RESOURCE_EXHAUSTED DISK_FULL") FAIL("at attempt " << i);
  }
  subject.engine->FailBatches(absl::OkStatus());
  CHECK(subject.Do(Put("k", "v"), "new").status.ok());
}

TEST_CASE("a creation of unknown outcome did not run the batch, and the next one finds the truth") {
  StoreSubject subject;
  subject.engine->FailAfterDoing(OutcomeUnknown(), IsSystemWrite);
  CHECK(Brief(subject.Do(Put("k", "v"), "new").status) == "UNAVAILABLE ENGINE_UNAVAILABLE");
  CHECK(subject.Value("k", "new") == "-");
  subject.engine->FailAfterDoing(absl::OkStatus(), AnyBatch);
  CHECK(subject.Do(Put("k", "v"), "new").status.ok());
  CHECK(subject.Value("k", "new") == "v");
  CHECK(Brief(subject.Create("new")) == "FAILED_PRECONDITION NAMESPACE_EXISTS");
  REQUIRE(subject.Reopen().ok());
  CHECK(subject.Value("k", "new") == "v");
}

TEST_CASE("there are only as many namespaces as allowed, whoever creates them") {
  StoreOptions options = StoreSubject::Options();
  options.limits.max_namespaces = 3;
  StoreSubject subject(options);
  REQUIRE(subject.Do(Put("k", "v"), "a").status.ok());
  REQUIRE(subject.Create("b").ok());
  const std::string kTooMany = "RESOURCE_EXHAUSTED TOO_MANY_NAMESPACES";
  CHECK(Brief(subject.Do(Put("k", "v"), "c").status) == kTooMany);
  CHECK(Brief(subject.Create("c")) == kTooMany);
  CHECK(subject.Value("k", "c") == "-");
  CHECK(subject.Do(Put("k", "v"), "a").status.ok());
  REQUIRE(subject.Drop("b").ok());
  CHECK(subject.Do(Put("k", "v"), "c").status.ok());
}

TEST_CASE("namespaces that are being created count") {
  StoreOptions options = StoreSubject::Options();
  options.limits.max_namespaces = 3;
  StoreSubject subject(options);
  subject.engine->Hold(IsSystemWrite);
  const auto a = subject.Submit("a", BatchMode::kIndependent, {Put("k", "v")});
  const auto b = subject.Submit("b", BatchMode::kIndependent, {Put("k", "v")});
  const auto c = subject.Submit("c", BatchMode::kIndependent, {Put("k", "v")});
  CHECK(Brief(c->answer->status) == "RESOURCE_EXHAUSTED TOO_MANY_NAMESPACES");
  while (subject.engine->held() > 0) {
    subject.engine->Release();
    subject.Settle();
  }
  CHECK(a->answer->status.ok());
  CHECK(b->answer->status.ok());
}

TEST_CASE("only so many batches wait for a namespace") {
  StoreSubject subject;
  subject.engine->Hold(IsSystemWrite);
  std::vector<std::unique_ptr<Pending>> waiting;
  for (int i = 0; i < 10'000; ++i) {
    waiting.push_back(subject.Submit("new", BatchMode::kIndependent, {Put("k", "v")}));
    REQUIRE_FALSE(waiting.back()->done());
  }
  const auto refused = subject.Submit("new", BatchMode::kIndependent, {Put("k", "v")});
  CHECK(Brief(refused->answer->status) == "RESOURCE_EXHAUSTED QUEUE_FULL");
  subject.engine->Release();
  for (const auto& one : waiting) REQUIRE(one->answer->status.ok());
}

}  // namespace
}  // namespace tarn::storage
