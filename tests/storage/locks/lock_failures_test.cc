// What becomes of locks when the engine fails.
#include "storage/locks/lock_table.h"
#include "tests/catch.h"
#include "tests/storage/locks/lock_subject.h"

namespace tarn::storage {
namespace {

const absl::Status kFull =
    base::MakeError(absl::StatusCode::kResourceExhausted, base::Reason::kDiskFull, "full");
const absl::Status kUnknown =
    base::MakeError(absl::StatusCode::kUnknown, base::Reason::kOutcomeUnknown, "lost");

bool IsSystemPut(const Batch& batch) {
  return IsSystemWrite(batch) && batch.operations[0].kind == OperationKind::kPut;
}

TEST_CASE("a grant that cannot be recorded is an error, and the lock stays free") {
  LockSubject s;
  s.engine->FailBatches(kFull, IsSystemWrite);
  CHECK(s.Ask("a").brief() == "RESOURCE_EXHAUSTED DISK_FULL");
  CHECK(s.Holder() == "-");
  s.engine->FailBatches(absl::OkStatus());
  CHECK(s.Ask("b").brief() == "OK");
}

TEST_CASE("a renewal that cannot be recorded is an error, and the deadline stays") {
  LockSubject s;
  const Revision token = s.Get("a");
  s.engine->FailBatches(kFull, IsSystemWrite);
  CHECK(s.Renew(token, 20'000).brief() == "RESOURCE_EXHAUSTED DISK_FULL");
  s.engine->FailBatches(absl::OkStatus());
  s.Pass(LockSubject::kTtl);
  CHECK(s.Holder() == "-");
}

TEST_CASE("a release that cannot be recorded is an error, and the holder keeps the lock") {
  LockSubject s;
  const Revision token = s.Get("a");
  s.engine->FailBatches(kFull, IsSystemWrite);
  CHECK(s.Release(token) == "RESOURCE_EXHAUSTED DISK_FULL");
  s.engine->FailBatches(absl::OkStatus());
  CHECK(s.Holder() == "a");
  CHECK(s.Enter(token).ok());
  CHECK(s.Release(token) == "OK");
}

TEST_CASE("a lock whose release could not be recorded expires all the same") {
  LockSubject s;
  const Revision token = s.Get("a");
  auto b = s.Ask("b", 60'000);
  s.engine->FailBatches(kFull, IsSystemWrite);
  s.Release(token);
  s.engine->FailBatches(absl::OkStatus());
  s.Pass(LockSubject::kTtl);
  CHECK(s.Holder() != "a");
}

TEST_CASE("where only removing works, a release does, though the next one cannot be granted") {
  LockSubject s;
  const Revision token = s.Get("a");
  auto b = s.Ask("b", 60'000);
  auto c = s.Ask("c", 60'000);
  s.engine->FailBatches(kFull, IsSystemPut);
  CHECK(s.Release(token) == "OK");
  CHECK(b.brief() == "RESOURCE_EXHAUSTED DISK_FULL");
  CHECK(c.brief() == "-");
  s.engine->FailBatches(absl::OkStatus());
  s.Pass(1000);
  CHECK(c.brief() == "OK");
}

TEST_CASE("a failing engine is asked once a second, and not once for each who waits") {
  LockSubject s;
  const Revision token = s.Get("a");
  std::vector<Told<LockGrant>> all;
  for (int i = 0; i < 100; ++i) all.push_back(s.Ask("b", 60'000));
  s.engine->FailBatches(kFull, IsSystemWrite);
  const size_t before = s.engine->batches();
  CHECK(s.Release(token) == "RESOURCE_EXHAUSTED DISK_FULL");
  s.Pass(999);
  CHECK(s.engine->batches() - before <= 2);
}

TEST_CASE("an expired lock whose record cannot be removed is removed later") {
  LockSubject s;
  s.Get("a");
  s.engine->FailBatches(kFull, IsSystemWrite);
  s.Pass(LockSubject::kTtl);
  s.engine->FailBatches(absl::OkStatus());
  s.Pass(1000);
  CHECK(s.table->Stats().held == 0);
  REQUIRE(s.Reopen().ok());
  CHECK(s.Holder() == "-");
}

TEST_CASE("a grant of unknown outcome is nobody's, and its record is cleared away") {
  LockSubject s;
  s.engine->FailAfterDoing(kUnknown, IsSystemPut);
  CHECK(s.Ask("a").brief() == "UNKNOWN OUTCOME_UNKNOWN");
  CHECK(s.Holder() == "-");
  s.engine->FailAfterDoing(absl::OkStatus(), AnyBatch);
  s.Pass(1000);
  REQUIRE(s.Reopen().ok());
  CHECK(s.Holder() == "-");
}

TEST_CASE("a grant of unknown outcome that a crash follows is over with its TTL") {
  LockSubject s;
  s.engine->FailAfterDoing(kUnknown, IsSystemPut);
  CHECK(s.Ask("a").brief() == "UNKNOWN OUTCOME_UNKNOWN");
  s.engine->FailAfterDoing(absl::OkStatus(), AnyBatch);
  REQUIRE(s.Reopen().ok());
  CHECK(s.Holder() == "a");
  s.Pass(LockSubject::kTtl);
  CHECK(s.Holder() == "-");
}

TEST_CASE("after an unknown outcome the record is left alone until that is settled") {
  LockSubject s;
  s.engine->HoldUnsettled();
  s.engine->FailAfterDoing(kUnknown, IsSystemPut);
  auto a = s.Ask("a");
  s.engine->FailAfterDoing(absl::OkStatus(), AnyBatch);
  auto b = s.Ask("b", 60'000);
  CHECK(a.brief() == "-");
  CHECK(b.brief() == "-");
  s.engine->SettleAll();
  CHECK(a.brief() == "UNKNOWN OUTCOME_UNKNOWN");
  s.Pass(1000);
  CHECK(b.brief() == "OK");
}

TEST_CASE("a release of unknown outcome is said to be that, and is finished") {
  LockSubject s;
  const Revision token = s.Get("a");
  s.engine->FailAfterDoing(kUnknown, IsSystemWrite);
  CHECK(s.Release(token) == "UNKNOWN OUTCOME_UNKNOWN");
  s.engine->FailAfterDoing(absl::OkStatus(), AnyBatch);
  CHECK(testing::Brief(s.Enter(token).status()) == "FAILED_PRECONDITION FENCED");
  s.Pass(1000);
  CHECK(s.Ask("b").value().token > token);
}

TEST_CASE("a renewal of unknown outcome leaves the earlier deadline in force") {
  LockSubject s;
  const Revision token = s.Get("a");
  s.engine->FailAfterDoing(kUnknown, IsSystemWrite);
  CHECK(s.Renew(token, 20'000).brief() == "UNKNOWN OUTCOME_UNKNOWN");
  s.engine->FailAfterDoing(absl::OkStatus(), AnyBatch);
  s.Pass(LockSubject::kTtl);
  CHECK(s.Holder() == "-");
}

TEST_CASE("a group whose epoch cannot be raised keeps the one it has") {
  LockSubject s;
  const Revision epoch = s.Join("w1").value();
  s.engine->FailBatches(kFull, IsSystemWrite);
  CHECK(s.Join("w2").brief() == "RESOURCE_EXHAUSTED DISK_FULL");
  CHECK(s.EnterGroup(epoch).ok());
}

}  // namespace
}  // namespace tarn::storage
