#include "checkpoint/checkpointer.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/checkpoint/daemon.h"
#include "tests/support/status.h"

namespace tarn::checkpoint {
namespace {

using testing::Brief;
using testing::Daemon;
using testing::DoctoredEngine;
using testing::FaultDuration;
using testing::FaultKind;
using testing::kStart;
using testing::kStoreA;
using testing::Machine;
using testing::Put;
using testing::Says;
using testing::TestEngine;
using testing::Value;

using Lines = std::vector<std::string>;
using Outcome = CreateReport::Outcome;

// A daemon on an engine with some entries.
struct World {
  Machine machine;
  TestEngine engine{machine.clock};
  DoctoredEngine doctored{*engine};
  std::unique_ptr<Daemon> daemon;

  explicit World(const CheckpointerOptions& options = Daemon::DefaultOptions()) {
    engine.AddNamespace("n", 1);
    for (int i = 0; i < 20; ++i) engine.Do(Put(absl::StrCat("k", i), std::string(50, 'v')));
    daemon = std::make_unique<Daemon>(machine, doctored, engine.ledger(),
                                      storage::StoreMeta{kStoreA, 7}, options);
  }

  absl::StatusOr<CreateReport> Create(const CreateRequest& request = {}) {
    return daemon->Create(request);
  }
  // After a change, so that nothing is confirmed.
  CreateReport CreateNew() {
    engine.Do(Put("changing", "v"));
    return Value(Create());
  }
  CheckpointerStatus Status() { return daemon->checkpointer->Status(); }
  Lines Files() { return Value(machine.files.List("c")); }
};

TEST_CASE("a checkpoint is created, published, and told of") {
  World world;
  world.machine.clock.Advance(1234);
  const CreateReport report = Value(world.Create());
  CHECK(report.outcome == Outcome::kCreated);
  CHECK(ToString(report.info.id) == "00000007-0000000001");
  CHECK(report.info.header.entries == 20);
  CHECK(report.info.header.engine == "doctored");
  CHECK(report.info.header.create_time == kStart + 1234);
  CHECK(Brief(testing::VerifyFile(world.machine.files, report.info.path)) == "OK");
  CHECK(world.daemon->recorder.Heard() == Lines{"created 00000007-0000000001"});
  CHECK(world.Files() == Lines{"00000007-0000000001.ckpt", "store"});
  CHECK(world.daemon->progress.total_entries == 20);
  CHECK(std::string(world.daemon->progress.phase) == "removing old ones");

  const CheckpointerStatus status = world.Status();
  CHECK(status.created == 1);
  CHECK(status.failed == 0);
  CHECK(status.last_success_time == kStart + 1234);
  CHECK(status.confirmed_time == kStart + 1234);
  CHECK(status.newest->id == report.info.id);
  CHECK(status.compression_ratio() > 0.5);
  CHECK(status.last_error.ok());
}

TEST_CASE("before the first one there is no age and no ratio, afterwards the newest one's") {
  Machine machine;
  TestEngine engine(machine.clock);
  {
    Daemon first(machine, *engine, engine.ledger());
    CHECK(first.checkpointer->Status().confirmed_time == 0);
    CHECK(first.checkpointer->Status().compression_ratio() == 0);
    Value(first.Create());
  }
  machine.clock.Advance(5000);
  const Daemon second(machine, *engine, engine.ledger());
  CHECK(second.checkpointer->Status().confirmed_time == kStart);
  CHECK(second.checkpointer->Status().last_success_time == 0);
}

TEST_CASE("when nothing was committed since, the newest one is confirmed instead") {
  World world;
  Value(world.Create());
  world.machine.clock.Advance(10'000);
  const CreateReport report = Value(world.Create());
  CHECK(report.outcome == Outcome::kConfirmed);
  CHECK(ToString(report.info.id) == "00000007-0000000001");
  CHECK(world.daemon->recorder.Heard().back() == "confirmed 00000007-0000000001");
  const CheckpointerStatus status = world.Status();
  CHECK(status.created == 1);
  CHECK(status.skipped == 1);
  CHECK(status.last_success_time == kStart);
  CHECK(status.confirmed_time == kStart + 10'000);
  CHECK(world.Files().size() == 2);
}

TEST_CASE("nothing is confirmed after a commit, or when a new one is wanted in any case") {
  World world;
  Value(world.Create());
  world.engine.Do(Put("k", "v"));
  CHECK(Value(world.Create()).outcome == Outcome::kCreated);
  CHECK(Value(world.Create({.if_unchanged = IfUnchanged::kWriteNew})).outcome == Outcome::kCreated);
  CHECK(world.daemon->Names().size() == 3);
}

TEST_CASE("a checkpoint that is gone or damaged confirms nothing") {
  World world;
  const std::string path = Value(world.Create()).info.path;
  const bool gone = GENERATE(true, false);
  if (gone) REQUIRE(world.machine.files.Remove(path).ok());
  if (!gone) testing::Store(world.machine.files, path, "damaged");
  const CreateReport report = Value(world.Create());
  CHECK(report.outcome == Outcome::kCreated);
  CHECK(ToString(report.info.id) == "00000007-0000000002");
  CHECK(Value(world.Create()).outcome == Outcome::kConfirmed);
}

TEST_CASE("a new incarnation makes its own, and numbers it from 1") {
  World world;
  Value(world.Create());
  world.daemon.reset();
  TestEngine next(world.machine.clock, {kStoreA, 8});
  Daemon daemon(world.machine, *next, next.ledger(), {kStoreA, 8});
  CHECK(ToString(Value(daemon.Create()).info.id) == "00000008-0000000001");
}

TEST_CASE("the number has the incarnation that the revisions have come to") {
  // As after the counter of revisions has carried over.
  World world;
  auto load = Value(world.engine->BeginBulkLoad());
  REQUIRE(load->Publish({kStoreA, 9}).ok());
  CHECK(ToString(Value(world.Create()).info.id) == "00000009-0000000001");
}

TEST_CASE("a pin is set before retention looks, also on a confirmed one") {
  CheckpointerOptions options = Daemon::DefaultOptions();
  options.retention = {.newest = 1, .hours = 0, .days = 0};
  World world(options);
  CHECK(Value(world.Create({.pin_reason = "first"})).info.pin->reason == "first");
  world.CreateNew();
  CHECK(Value(world.Create({.pin_reason = "confirmed"})).outcome == Outcome::kConfirmed);
  world.CreateNew();
  world.CreateNew();
  CHECK(world.daemon->Names() ==
        Lines{"00000007-0000000001", "00000007-0000000002", "00000007-0000000004"});
  CHECK(world.Status().deleted == 1);
}

TEST_CASE("a pin that cannot be set fails the request") {
  World world;
  CHECK(Brief(world.Create({.pin_reason = "a\nb"})) == "INVALID_ARGUMENT INVALID_PIN");
  CHECK(world.Status().failed == 1);
}

TEST_CASE("retention deletes what no rule keeps, and a list says why the others stay") {
  CheckpointerOptions options = Daemon::DefaultOptions();
  options.retention = {.newest = 2, .hours = 0, .days = 0};
  World world(options);
  for (int i = 0; i < 5; ++i) world.CreateNew();
  CHECK(world.daemon->Names() == Lines{"00000007-0000000004", "00000007-0000000005"});
  world.daemon->checkpointer->SetRetention({.newest = 1, .hours = 0, .days = 0});
  Lines listed;
  for (const ListedCheckpoint& one : world.daemon->checkpointer->List())
    listed.push_back(absl::StrCat(ToString(one.info.id), " ", one.verdict.why));
  CHECK(listed == Lines{"00000007-0000000004 no rule keeps it", "00000007-0000000005 newest"});
  CHECK(world.CreateNew().deleted == 2);
}

TEST_CASE("earlier incarnations are protected until something is restored") {
  CheckpointerOptions options = Daemon::DefaultOptions();
  options.retention = {.newest = 1, .hours = 0, .days = 0, .protect_before = 8};
  World world(options);
  for (int i = 0; i < 3; ++i) world.CreateNew();
  CHECK(world.daemon->Names().size() == 3);
  world.daemon->checkpointer->StopProtecting();
  world.CreateNew();
  CHECK(world.daemon->Names().size() == 1);
}

TEST_CASE("one that cannot be deleted is deleted next time, and harms nothing") {
  CheckpointerOptions options = Daemon::DefaultOptions();
  options.retention = {.newest = 1, .hours = 0, .days = 0};
  World world(options);
  world.CreateNew();
  world.engine.Do(Put("changing", "v"));
  uint64_t operations = world.machine.files.operations();
  Value(world.Create());
  operations = world.machine.files.operations() - operations;
  // The last operation of a creation is the removal.
  world.engine.Do(Put("changing", "v"));
  world.machine.files.FailAt(world.machine.files.operations() + operations - 1, FaultKind::kIoError,
                             FaultDuration::kOnce);
  CHECK(Value(world.Create()).deleted == 0);
  CHECK(world.machine.files.trace().back() == "remove c/00000007-0000000002.ckpt !");
  CHECK(world.daemon->Names().size() == 2);
  CHECK(world.CreateNew().deleted == 2);
}

TEST_CASE("without room on the disk nothing is begun, and with room it is") {
  CheckpointerOptions options = Daemon::DefaultOptions();
  options.min_free_bytes = 1 << 20;
  World world(options);
  world.machine.files.SetSpace({.free_bytes = (2 << 20) + 100, .total_bytes = 1 << 30});
  const auto refused = world.Create();
  CHECK(Brief(refused) == "RESOURCE_EXHAUSTED DISK_FULL");
  CHECK(Says(refused.status(), "are free"));
  CHECK(world.Files() == Lines{"store"});
  CHECK(world.Status().failed == 1);
  CHECK(world.Status().last_error == refused.status());
  CHECK(world.Status().last_error_time == kStart);
  world.machine.files.SetSpace({.free_bytes = 3 << 20, .total_bytes = 1 << 30});
  CHECK(Brief(world.Create()) == "OK");
  CHECK(world.Status().last_error.ok());
}

TEST_CASE("what the last one shrank by is what the next one is expected to") {
  World world;
  for (int i = 0; i < 200; ++i)
    world.engine.Do(Put(absl::StrCat("large", i), std::string(20'000, 'x')));
  Value(world.Create());
  world.engine.Do(Put("changing", "v"));
  // 4 MB of values in a file of some 20 KB.
  world.machine.files.SetSpace({.free_bytes = (64 << 20) + (3 << 20), .total_bytes = 1 << 30});
  CHECK(Brief(world.Create()) == "OK");
  // Another codec may not shrink them so.
  CheckpointerOptions options = Daemon::DefaultOptions();
  options.writer.compression = {Codec::kNone, 0};
  world.daemon.reset();
  Daemon other(world.machine, *world.engine, world.engine.ledger(), {kStoreA, 7}, options);
  world.engine.Do(Put("changing", "v"));
  CHECK(Brief(other.Create()) == "RESOURCE_EXHAUSTED DISK_FULL");
}

TEST_CASE("a snapshot that ends while it is written is opened again, so many times") {
  World world;
  world.doctored.expiring_snapshots = 2;
  CHECK(Brief(world.Create()) == "OK");
  CHECK(world.daemon->progress.entries == 21);  // The namespace's record too; no attempt's twice.
  world.doctored.expiring_snapshots = 3;
  world.engine.Do(Put("k", "v"));
  CHECK(Brief(world.Create()) == "ABORTED SNAPSHOT_EXPIRED");
  CHECK(world.doctored.expiring_snapshots == 0);
  CHECK(world.Files().size() == 2);
  CHECK(Brief(world.Create()) == "OK");
}

TEST_CASE("an engine that gives no snapshot fails the checkpoint") {
  World world;
  world.doctored.open_snapshot = absl::UnavailableError("gone");
  CHECK(Brief(world.Create()) == "UNAVAILABLE");
  CHECK(world.daemon->recorder.Heard() == Lines{"failed UNAVAILABLE"});
}

TEST_CASE("one that is cancelled leaves nothing, and is no failure") {
  World world;
  world.daemon->progress.cancel = true;
  CHECK(Brief(world.Create()) == "CANCELLED");
  CHECK(world.Files() == Lines{"store"});
  CHECK(world.Status().cancelled == 1);
  CHECK(world.Status().failed == 0);
}

}  // namespace
}  // namespace tarn::checkpoint
