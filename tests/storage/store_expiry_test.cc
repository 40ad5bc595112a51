// Deadlines as a client sees them, in virtual time, and the sweeper.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/storage/store_subject.h"

namespace tarn::storage {
namespace {

using testing::Brief;

TEST_CASE("an entry with a TTL below a second lives exactly that long") {
  StoreSubject subject;
  CHECK(subject.Do(Put("k", "v").For(250)).deadline == StoreSubject::kStart + 250);
  subject.clock.Advance(249);
  CHECK(subject.Value("k") == "v");
  subject.clock.Advance(1);
  CHECK(subject.Value("k") == "-");
}

TEST_CASE("the default TTL holds on every path that creates an entry") {
  StoreSubject subject;
  REQUIRE(subject.Create("ns", {.default_ttl_ms = 1000}).ok());
  const base::UnixMs deadline = StoreSubject::kStart + 1000;
  CHECK(subject.Do(Put("p", "v"), "ns").deadline == deadline);
  CHECK(subject.Do(Add("i", 1), "ns").deadline == deadline);
  CHECK(subject.Do(Append("a", "v"), "ns").deadline == deadline);
  for (const BatchMode mode : {BatchMode::kAtomic, BatchMode::kIndependent}) {
    const BatchAnswer answer = subject.Batch(mode, {Put("x", "v"), Append("y", "v")}, "ns");
    for (const Answer& one : answer.results) CHECK(one.deadline == deadline);
    REQUIRE(subject.DeleteRange("ns").ok());
  }
}

TEST_CASE("increment and append keep the deadline of an existing entry, unless they say one") {
  StoreSubject subject;
  REQUIRE(subject.Create("ns", {.default_ttl_ms = 9000}).ok());
  REQUIRE(subject.Do(Put("k", "1").For(5000), "ns").status.ok());
  subject.clock.Advance(100);
  CHECK(subject.Do(Add("k", 1), "ns").deadline == StoreSubject::kStart + 5000);
  CHECK(subject.Do(Append("k", "0"), "ns").deadline == StoreSubject::kStart + 5000);
  CHECK(subject.Do(Add("k", 1).For(50), "ns").deadline == StoreSubject::kStart + 150);
  CHECK(subject.Do(Append("k", "0").ForEver(), "ns").deadline == base::kNever);
  CHECK(subject.Do(Add("k", 1), "ns").deadline == base::kNever);
}

TEST_CASE("an entry that has expired is as good as none, for every operation") {
  StoreSubject subject;
  const Revision revision = subject.Do(Put("k", "5").For(10)).revision;
  subject.clock.Advance(10);
  CHECK_FALSE(subject.Do(Take("k")).found);
  CHECK_FALSE(subject.Do(Touch("k").ForEver()).found);
  CHECK(Brief(subject.Do(Put("k", "6").IfRevision(revision)).status) ==
        "ABORTED REVISION_MISMATCH");
  CHECK(Brief(subject.Do(Get("k").IfPresent()).status) == "FAILED_PRECONDITION KEY_NOT_FOUND");
  CHECK_FALSE(subject.Do(Add("k", 1)).found);
  CHECK(subject.Value("k") == "1");
}

TEST_CASE("touch changes the deadline and nothing else, and takes a revision") {
  StoreSubject subject;
  const Revision put = subject.Do(Put("k", "v").For(10)).revision;
  const Answer touched = subject.Do(Touch("k").For(1000));
  CHECK(touched.found);
  CHECK(touched.revision > put);
  CHECK(touched.deadline == StoreSubject::kStart + 1000);
  subject.clock.Advance(999);
  CHECK(subject.Value("k") == "v");
  CHECK_FALSE(subject.Do(Touch("none").For(1000)).found);
}

// --- the sweeper ---

TEST_CASE("the sweeper removes what has expired, invisibly, and counts it") {
  StoreSubject subject;
  std::vector<Op> ops;
  for (int i = 0; i < 1000; ++i) ops.push_back(Put("k" + std::to_string(i), "v").For(100));
  ops.push_back(Put("stays", "v"));
  REQUIRE(subject.Batch(BatchMode::kIndependent, ops, "ns").status.ok());
  const NamespaceId id = testing::Value(subject.store().GetNamespace("ns")).id;
  subject.store().SweepOnce();
  CHECK(subject.ledger.Get(id).entries == 1001);

  subject.clock.Advance(100);
  const Revision revision = subject.memory->Stats().revision;
  subject.store().SweepOnce();
  CHECK(subject.ledger.Get(id).entries == 1);
  CHECK(subject.memory->Stats().revision == revision);
  CHECK(subject.store().Stats().swept_entries == 1000);
  CHECK(subject.Value("stays", "ns") == "v");
}

TEST_CASE("what a scan still shows is swept when the scan has ended") {
  StoreSubject subject;
  REQUIRE(subject.Do(Put("k", "v").For(100)).status.ok());
  auto scan = testing::Value(subject.Open({}));
  subject.clock.Advance(100);
  subject.store().SweepOnce();
  scan.reset();
  subject.store().SweepOnce();
  CHECK(subject.store().Stats().swept_entries == 1);
}

TEST_CASE("a sweeper that fails tries again") {
  StoreSubject subject;
  REQUIRE(subject.Do(Put("k", "v").For(100)).status.ok());
  subject.clock.Advance(100);
  subject.engine->FailSweep(absl::InternalError("no"));
  subject.store().SweepOnce();
  subject.store().SweepOnce();
  CHECK(subject.store().Stats().swept_entries == 0);
  subject.engine->FailSweep(absl::OkStatus());
  subject.store().SweepOnce();
  CHECK(subject.store().Stats().swept_entries == 1);
}

// An engine that tells when it is swept, and how much is left.
class CountingEngine final : public Engine {
 public:
  CountingEngine(base::ManualClock& clock, int steps) : clock_(clock), left_(steps) {}

  absl::StatusOr<SweepResult> SweepExpired(size_t max_entries) override {
    absl::MutexLock lock(&mutex_);
    ++sweeps_;
    clock_.Advance(10);
    return SweepResult{.removed = max_entries, .more = --left_ > 0};
  }
  int sweeps() const {
    absl::MutexLock lock(&mutex_);
    return sweeps_;
  }
  void WaitForSweeps(int count) {
    absl::MutexLock lock(&mutex_);
    const auto reached = [this, count] { return sweeps_ >= count; };
    mutex_.Await(absl::Condition(&reached));
  }

  void Run(const Batch&, Completion) override {}
  absl::StatusOr<std::unique_ptr<Snapshot>> OpenSnapshot(SnapshotPurpose) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<std::unique_ptr<BulkLoad>> BeginBulkLoad() override {
    return absl::UnimplementedError("");
  }
  EngineStats Stats() const override { return {}; }
  absl::StatusOr<std::optional<StoreMeta>> ReadMeta() override { return std::nullopt; }
  absl::Status WriteMeta(const StoreMeta&) override { return absl::OkStatus(); }
  absl::string_view name() const override { return "counting"; }
  absl::string_view durability() const override { return ""; }

 private:
  base::ManualClock& clock_;
  mutable absl::Mutex mutex_;
  int left_;
  int sweeps_ = 0;
};

TEST_CASE("a round of the sweeper ends after half an interval, even if there is more") {
  base::ManualClock clock(0);
  Sequence random;
  ScanSessions sessions({}, clock, random);
  CountingEngine engine(clock, 1000);
  Sweeper sweeper({.entries_per_step = 7, .interval = absl::Seconds(3600)}, engine, sessions,
                  clock);
  clock.Advance(1);
  sweeper.SweepOnce();
  CHECK(engine.sweeps() == 1000);  // 10 s of an hour.
  CHECK(sweeper.swept() == 7000);

  CountingEngine endless(clock, 1 << 30);
  Sweeper bounded({.interval = absl::Hours(10)}, endless, sessions, clock);
  bounded.SweepOnce();
  CHECK(endless.sweeps() == 5 * 3600 * 100);
}

TEST_CASE("the sweeper runs by itself, and stops at once when it is destroyed") {
  base::ManualClock clock(0);
  Sequence random;
  ScanSessions sessions({}, clock, random);
  CountingEngine engine(clock, 0);
  Sweeper sweeper({.interval = absl::Milliseconds(1)}, engine, sessions, clock);
  engine.WaitForSweeps(3);
  Sweeper asleep({.interval = absl::InfiniteDuration()}, engine, sessions, clock);
}

}  // namespace
}  // namespace tarn::storage
