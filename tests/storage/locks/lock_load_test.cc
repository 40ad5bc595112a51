// Restarts: of the daemon, and of the machine.
#include "storage/locks/lock_table.h"
#include "storage/system_records.h"
#include "tests/catch.h"
#include "tests/storage/locks/lock_subject.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using testing::Value;

constexpr int64_t kTtl = LockSubject::kTtl;
constexpr int64_t kGrace = 10'000;

int64_t Remaining(LockSubject& s) { return Value(s.table->GetLock("", "lock")).remaining_ms; }

TEST_CASE("a lock survives a restart with holder, token and deadline") {
  LockSubject s;
  const Revision token = s.Get("a");
  s.Pass(4000);
  REQUIRE(s.Reopen().ok());
  const LockInfo info = Value(s.table->GetLock("", "lock"));
  CHECK(info.holder == "a");
  CHECK(info.token == token);
  CHECK(info.remaining_ms == kTtl - 4000);
  CHECK(info.acquire_time == LockSubject::kStart);
  CHECK(s.table->Stats().held == 1);
  CHECK(s.Enter(token).ok());
  CHECK(s.Release(token) == "OK");
}

TEST_CASE("a renewed lock keeps its token and its later deadline over restarts") {
  LockSubject s;
  const Revision token = s.Get("a");
  s.Pass(4000);
  REQUIRE(s.Renew(token).brief() == "OK");
  for (int i = 0; i < 3; ++i) {
    REQUIRE(s.Reopen().ok());
    CHECK(Value(s.table->GetLock("", "lock")).token == token);
    CHECK(Remaining(s) == kTtl);
  }
}

TEST_CASE("a released lock does not come back") {
  LockSubject s;
  s.Release(s.Get("a"));
  REQUIRE(s.Reopen().ok());
  CHECK(s.Holder() == "-");
  CHECK(s.table->Stats().held == 0);
}

TEST_CASE("a lock that expired while the daemon was down is free, and its token never used again") {
  LockSubject s;
  const Revision token = s.Get("a");
  s.table.reset();
  s.clock.Advance(kTtl);
  s.boot.Advance(kTtl);
  REQUIRE(s.Reopen().ok());
  CHECK(Brief(s.Enter(token).status()) == "FAILED_PRECONDITION FENCED");
  CHECK(s.Get("b") > token);
}

TEST_CASE("a request id is known after a restart") {
  LockSubject s;
  const auto first = s.Ask("a", 0, "r");
  REQUIRE(s.Reopen().ok());
  const auto again = s.Ask("a", 0, "r");
  CHECK(again.value().token == first.value().token);
  CHECK(again.value().repeated);
}

TEST_CASE("on the same boot, a step of the wall clock between two starts changes nothing") {
  for (const int64_t step : {3'600'000, -3'600'000}) {
    LockSubject s;
    s.Get("a");
    s.Pass(1000);
    s.table.reset();
    s.clock.Advance(step);
    REQUIRE(s.Reopen().ok());
    CHECK(Remaining(s) == kTtl - 1000);
  }
}

TEST_CASE("after a boot the wall clock decides, and each grant gets one grace, once") {
  LockSubject s;
  s.Get("a");
  s.boot.Reboot("boot-2");
  s.clock.Advance(3000);
  REQUIRE(s.Reopen().ok());
  CHECK(Remaining(s) == kTtl - 3000 + kGrace);
  s.boot.Reboot("boot-3");
  s.clock.Advance(1000);
  REQUIRE(s.Reopen().ok());
  CHECK(Remaining(s) == kTtl - 4000 + kGrace);
  REQUIRE(s.Reopen().ok());
  CHECK(Remaining(s) == kTtl - 4000 + kGrace);
}

TEST_CASE("a grant that was over before the boot is over after it, but for its grace") {
  LockSubject s;
  s.Get("a");
  s.table.reset();
  s.boot.Reboot("boot-2");
  s.clock.Advance(kTtl + kGrace - 1);
  REQUIRE(s.Reopen().ok());
  CHECK(Remaining(s) == 1);
  s.Pass(1);
  CHECK(s.Holder() == "-");
}

TEST_CASE(
    "a wall clock that was set back before a boot does not keep a lock for longer than a TTL") {
  Limits limits;
  limits.max_lock_ttl_ms = kTtl;
  LockSubject s(limits);
  s.Get("a");
  s.boot.Reboot("boot-2");
  s.clock.Advance(-100'000'000);
  REQUIRE(s.Reopen().ok());
  CHECK(Remaining(s) == kTtl + kGrace);
}

TEST_CASE("a new grant after a boot has a grace of its own") {
  LockSubject s;
  s.Get("a");
  s.boot.Reboot("boot-2");
  REQUIRE(s.Reopen().ok());
  s.Release(Value(s.table->GetLock("", "lock")).token);
  s.Get("b");
  s.boot.Reboot("boot-3");
  REQUIRE(s.Reopen().ok());
  CHECK(Remaining(s) == kTtl + kGrace);
}

TEST_CASE("a grace that cannot be recorded is not given: the store does not open") {
  LockSubject s;
  s.Get("a");
  s.boot.Reboot("boot-2");
  s.engine->FailBatches(absl::InternalError("broken"), IsSystemWrite);
  CHECK(Brief(s.Reopen()) == "INTERNAL");
}

TEST_CASE("a machine that cannot tell its boots goes by the wall clock") {
  LockSubject s;
  s.boot.Reboot("");
  REQUIRE(s.Reopen().ok());
  s.Get("a");
  s.clock.Advance(1000);
  REQUIRE(s.Reopen().ok());
  CHECK(Remaining(s) == kTtl - 1000 + kGrace);
}

TEST_CASE("a damaged record is named, and the store does not open") {
  LockSubject s;
  s.Get("a");
  absl::StatusOr<Revision> written;
  WriteSystemRecord(*s.engine, "~lock/default/lock", "nonsense", {},
                    [&](absl::StatusOr<Revision> revision) { written = revision; });
  REQUIRE(written.ok());
  const absl::Status status = s.Reopen();
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(std::string(status.message()).find("lock lock") != std::string::npos);
}

TEST_CASE("a store whose locks cannot be read does not open") {
  LockSubject s;
  s.engine->FailOpenSnapshot(absl::InternalError("broken"));
  CHECK(Brief(s.Reopen()) == "INTERNAL");
}

TEST_CASE("no checkpoint holds what a restore voids") {
  const KeyRange lasting = LastingSystemRecords();
  for (const LockKind kind : {LockKind::kLock, LockKind::kGroup})
    CHECK(LockKey(kind, "ns", "n") >= lasting.end);
}

}  // namespace
}  // namespace tarn::storage
