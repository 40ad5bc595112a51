#include "checkpoint/restorer.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "checkpoint/transfer.h"
#include "tests/catch.h"
#include "tests/checkpoint/daemon.h"
#include "tests/support/status.h"

namespace tarn::checkpoint {
namespace {

using testing::Brief;
using testing::Daemon;
using testing::Delete;
using testing::DoctoredEngine;
using testing::FaultDuration;
using testing::FaultKind;
using testing::Get;
using testing::kStart;
using testing::kStoreA;
using testing::kStoreB;
using testing::Machine;
using testing::Put;
using testing::Row;
using testing::RowsOf;
using testing::Says;
using testing::TestEngine;
using testing::Value;

using Action = StartDecision::Action;
using Lines = std::vector<std::string>;
const storage::StoreMeta kNext{kStoreA, 8};
const std::vector<storage::NamespaceId> kAll = {0, 1, 2};

// A machine whose first daemon made three checkpoints of a growing store and is gone.
struct World {
  Machine machine;
  std::vector<std::vector<Row>> states;  // At each checkpoint.
  // Where they are restored into.
  TestEngine engine{machine.clock, {kStoreA, 8}};
  DoctoredEngine doctored{*engine};
  std::unique_ptr<Daemon> daemon;

  World() {
    TestEngine first(machine.clock);
    first.AddNamespace("a", 1);
    first.AddNamespace("b", 2);
    Daemon maker(machine, *first, first.ledger());
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 30; ++j) {
        first.Do(Put(absl::StrCat("k", i, ".", j), std::string(40, static_cast<char>('a' + i)))
                     .In(1 + j % 2)
                     .Until(j % 5 == 0 ? kStart + 100'000 + j : base::kNever));
      }
      Value(maker.Create());
      states.push_back(RowsOf(*first, kAll));
    }
  }

  // A daemon over what is on the disk now.
  Daemon& Start() {
    daemon.reset();
    daemon = std::make_unique<Daemon>(machine, doctored, engine.ledger(), kNext);
    return *daemon;
  }
  static std::string Path(uint64_t sequence) {
    return absl::StrCat("c/", ToString({"", {7, sequence}}), ".ckpt");
  }
  // A byte of some block: its head is right.
  void DamageBlock(uint64_t sequence) { Damage(sequence, 300); }
  void DamageHead(uint64_t sequence) { Damage(sequence, 100); }
  void Damage(uint64_t sequence, size_t offset) {
    std::string bytes = testing::Load(machine.files, Path(sequence));
    ++bytes[offset];
    testing::Store(machine.files, Path(sequence), bytes);
  }
  absl::Status Publish(LoadedCheckpoint loaded, const storage::StoreMeta& meta = kNext) {
    return std::move(loaded).Publish(meta, daemon->progress);
  }
  std::vector<Row> State() { return RowsOf(*engine, kAll); }
};

const CheckpointId kFirst{"", {7, 1}};
const CheckpointId kThird{"", {7, 3}};

TEST_CASE("a restored store is what it was, revisions and deadlines included") {
  World world;
  Daemon& daemon = world.Start();
  LoadedCheckpoint loaded = Value(daemon.restorer->Load(kFirst, daemon.progress));
  CHECK(loaded.info().id == kFirst);
  CHECK(loaded.min_incarnation() == 8);
  CHECK(RowsOf(*world.engine, kAll).empty());
  REQUIRE(Brief(world.Publish(std::move(loaded))) == "OK");
  CHECK(world.State() == world.states[0]);
  CHECK(daemon.recorder.Heard() == Lines{"restored 00000007-0000000001"});
  CHECK(storage::IncarnationOf(world.engine.Do(Put("new", "v"))) == 8);
  CHECK(world.engine.ledger().Get(1).entries == 16);
}

TEST_CASE("a restore replaces what was there, all of it, and only when it is published") {
  World world;
  world.engine.AddNamespace("old", 9);
  world.engine.Do(Put("old", "v").In(9));
  Daemon& daemon = world.Start();
  { LoadedCheckpoint loaded = Value(daemon.restorer->Load(kThird, daemon.progress)); }
  CHECK(RowsOf(*world.engine, {9}).size() == 1);
  LoadedCheckpoint loaded = Value(daemon.restorer->Load(kThird, daemon.progress));
  world.engine.Do(Put("late", "v").In(9));
  REQUIRE(world.Publish(std::move(loaded), {kStoreA, 9}).ok());
  CHECK(RowsOf(*world.engine, {9}).empty());
  CHECK(world.State() == world.states[2]);
}

TEST_CASE("revisions never go back: an incarnation that is not above the checkpoint's is refused") {
  World world;
  Daemon& daemon = world.Start();
  world.engine.Do(Put("old", "v"));
  LoadedCheckpoint loaded = Value(daemon.restorer->Load(kThird, daemon.progress));
  const absl::Status status = world.Publish(std::move(loaded), {kStoreA, 7});
  CHECK(Brief(status) == "FAILED_PRECONDITION");
  CHECK(Says(status, "incarnation 7 cannot follow it"));
  CHECK(world.State().size() == 1);
  CHECK(daemon.recorder.Heard() == Lines{"restore failed FAILED_PRECONDITION"});
}

TEST_CASE("what expired since the checkpoint was written does not make the digests differ") {
  World world;
  world.machine.clock.Advance(100'010);
  Daemon& daemon = world.Start();
  REQUIRE(Brief(world.Publish(Value(daemon.restorer->Load(kThird, daemon.progress)))) == "OK");
  CHECK(world.State().size() < world.states[2].size());
  CHECK(world.State().size() > world.states[2].size() - 18);
}

TEST_CASE("an engine that does not show what it was given is not served") {
  World world;
  Daemon& daemon = world.Start();
  world.doctored.loses_an_entry = true;
  const absl::Status status = world.Publish(Value(daemon.restorer->Load(kThird, daemon.progress)));
  CHECK(Brief(status) == "DATA_LOSS DATA_LOSS");
  CHECK(Says(status, "the doctored engine shows"));
  // It is not the file's fault.
  CHECK(daemon.Names().size() == 3);
}

TEST_CASE("a checkpoint that is damaged anywhere is quarantined, and nothing changes") {
  World world;
  const bool head = GENERATE(true, false);
  if (head) world.DamageHead(3);
  if (!head) world.DamageBlock(3);
  Daemon& daemon = world.Start();
  world.engine.Do(Put("old", "v"));
  const bool verify = GENERATE(true, false);
  const absl::Status status = verify ? daemon.restorer->Verify(kThird, daemon.progress)
                                     : daemon.restorer->Load(kThird, daemon.progress).status();
  CHECK(Brief(status) == "DATA_LOSS DATA_LOSS");
  CHECK(Says(status, World::Path(3) + " is damaged at byte "));
  CHECK(world.State().size() == 1);
  CHECK(daemon.catalog->Quarantined() == std::vector<CheckpointId>{kThird});
  CHECK(daemon.Names().size() == 2);
  CHECK(daemon.recorder.Heard().front() == "quarantined 00000007-0000000003");
}

TEST_CASE("verifying changes nothing and says OK of what is right") {
  World world;
  Daemon& daemon = world.Start();
  CHECK(Brief(daemon.restorer->Verify(kFirst, daemon.progress)) == "OK");
  CHECK(daemon.progress.entries == 30);
  CHECK(world.State().empty());
  CHECK(Brief(daemon.restorer->Verify({"", {9, 9}}, daemon.progress)) ==
        "NOT_FOUND CHECKPOINT_NOT_FOUND");
  CHECK(Brief(daemon.restorer->Load({"", {9, 9}}, daemon.progress)) ==
        "NOT_FOUND CHECKPOINT_NOT_FOUND");
}

TEST_CASE("a file that cannot be read now is not quarantined") {
  World world;
  Daemon& daemon = world.Start();
  int failures = 0;
  for (uint64_t operation = 0; operation < 8; ++operation) {
    world.machine.files.FailAt(world.machine.files.operations() + operation, FaultKind::kIoError,
                               FaultDuration::kOnce);
    const absl::Status status = daemon.restorer->Verify(kThird, daemon.progress);
    world.machine.files.Heal();
    if (!status.ok()) ++failures;
    CHECK((status.ok() || Brief(status) == "INTERNAL"));
  }
  CHECK(failures == 8);
  CHECK(daemon.Names().size() == 3);
  CHECK(Brief(daemon.restorer->Verify(kThird, daemon.progress)) == "OK");
}

TEST_CASE("a file that is replaced between two looks is not restored") {
  World world;
  Daemon& daemon = world.Start();
  const CheckpointInfo old = Value(daemon.catalog->Get(kThird));
  TestEngine other(world.machine.clock);
  other.AddNamespace("a", 1);
  testing::Write(*other, world.machine.files, World::Path(3), {.threads = 1}, {7, 3});
  // Load looks again, and takes what is there now.
  CHECK(Value(daemon.restorer->Load(kThird, daemon.progress)).info().header.root !=
        old.header.root);
}

TEST_CASE("a restore that is cancelled leaves everything as it was, and quarantines nothing") {
  World world;
  Daemon& daemon = world.Start();
  daemon.progress.cancel = true;
  CHECK(Brief(daemon.restorer->Load(kThird, daemon.progress)) == "CANCELLED");
  CHECK(Brief(daemon.Prepare()) == "CANCELLED");
  CHECK(daemon.Names().size() == 3);
}

TEST_CASE("an engine that fails is not taken for a bad checkpoint") {
  World world;
  Daemon& daemon = world.Start();
  const int where = GENERATE(0, 1);
  const absl::Status full = absl::ResourceExhaustedError("full");
  if (where == 0) world.doctored.begin_bulk_load = full;
  if (where == 1) world.doctored.add = full;
  CHECK(daemon.restorer->Load(kThird, daemon.progress).status() == full);
  CHECK(daemon.Prepare().status() == full);
  CHECK(daemon.Names().size() == 3);
  world.doctored.begin_bulk_load = world.doctored.add = absl::OkStatus();
  world.doctored.publish = full;
  CHECK(world.Publish(Value(daemon.restorer->Load(kThird, daemon.progress))) == full);
  CHECK(world.State().empty());
}

TEST_CASE("without room for it nothing is begun") {
  World world;
  SECTION("on the disk") {
    world.doctored.disk_free_bytes = 1000;
    Daemon& daemon = world.Start();
    CHECK(Brief(daemon.restorer->Load(kThird, daemon.progress)) == "RESOURCE_EXHAUSTED DISK_FULL");
    world.doctored.disk_free_bytes = 1'000'000;
    CHECK(Brief(daemon.restorer->Load(kThird, daemon.progress)) == "OK");
  }
  SECTION("in memory") {
    world.Start();
    TestEngine small(world.machine.clock, kNext, {.memory_limit_bytes = 1000});
    world.daemon.reset();
    Daemon daemon(world.machine, *small, small.ledger(), kNext);
    CHECK(Brief(daemon.restorer->Load(kThird, daemon.progress)) ==
          "RESOURCE_EXHAUSTED MEMORY_LIMIT");
  }
}

// --- at the start ---

TEST_CASE("an empty engine gets the newest checkpoint") {
  World world;
  Daemon& daemon = world.Start();
  PreparedStart start = Value(daemon.Prepare());
  CHECK(start.decision.action == Action::kRestore);
  CHECK(start.skipped.empty());
  REQUIRE(start.loaded);
  REQUIRE(world.Publish(*std::move(start.loaded)).ok());
  CHECK(world.State() == world.states[2]);
}

TEST_CASE("bad ones are passed over for older ones, quarantined, and named") {
  World world;
  world.DamageBlock(3);
  world.DamageHead(2);
  Daemon& daemon = world.Start();
  PreparedStart start = Value(daemon.Prepare());
  REQUIRE(start.loaded);
  CHECK(start.loaded->info().id == kFirst);
  REQUIRE(start.skipped.size() == 2);
  CHECK(start.skipped[0].id == kThird);
  CHECK(Says(start.skipped[0].why, "a block does not match its hash"));
  CHECK(Says(start.skipped[1].why, "the root does not match"));
  CHECK(daemon.Names() == Lines{"00000007-0000000001"});
  REQUIRE(world.Publish(*std::move(start.loaded)).ok());
  CHECK(world.State() == world.states[0]);
}

TEST_CASE("an older bad one is nobody's business while a newer one is good") {
  World world;
  world.DamageHead(1);
  Daemon& daemon = world.Start();
  const PreparedStart start = Value(daemon.Prepare());
  CHECK(start.skipped.empty());
  CHECK(daemon.Names().size() == 3);
}

TEST_CASE(
    "when none is valid the start is refused, says which ones were tried, and goes on being "
    "refused") {
  World world;
  for (uint64_t i = 1; i <= 3; ++i) world.DamageBlock(i);
  const auto refused = world.Start().Prepare();
  CHECK(Brief(refused) == "DATA_LOSS DATA_LOSS");
  for (uint64_t i = 1; i <= 3; ++i) CHECK(Says(refused.status(), World::Path(i) + " is damaged"));
  CHECK(Says(refused.status(), "--allow-empty-start"));
  Daemon& daemon = world.Start();
  CHECK(daemon.Names().empty());
  CHECK(Brief(daemon.Prepare()) == "DATA_LOSS DATA_LOSS");
  const PreparedStart allowed = Value(daemon.Prepare({.empty_start = EmptyStart::kAllow}));
  CHECK(allowed.decision.action == Action::kStartEmpty);
  CHECK(allowed.decision.history == History::kBroken);
}

TEST_CASE("a checkpoint of a newer format is not passed over") {
  World world;
  std::string bytes = testing::Load(world.machine.files, World::Path(3));
  bytes[11] = 2;
  bytes[100] ^= 1;
  testing::Store(world.machine.files, World::Path(3), bytes);
  Daemon& daemon = world.Start();
  const auto refused = daemon.Prepare();
  CHECK(Brief(refused) == "FAILED_PRECONDITION NEWER_FORMAT");
  CHECK(Says(refused.status(), "newer program"));
  CHECK(daemon.Names().size() == 3);
}

TEST_CASE(
    "an older checkpoint than the engine's commits is refused, also after falling back to it") {
  World world;
  const storage::Revision third = Value(world.Start().catalog->Get(kThird)).header.revision;
  const StartRules latest{.policy = RestorePolicy::kLatest};
  const StartFacts facts{.engine = EngineContent::kStore, .engine_revision = third};
  CHECK(Value(world.daemon->Prepare(latest, facts)).decision.action == Action::kRestore);
  world.DamageBlock(3);
  const auto refused = world.daemon->Prepare(latest, facts);
  CHECK(Brief(refused) == "FAILED_PRECONDITION");
  CHECK(Says(refused.status(), "--discard-newer"));
  CHECK(Says(refused.status(), World::Path(3) + " is damaged"));
  StartRules discard = latest;
  discard.newer_commits = NewerCommits::kDiscard;
  CHECK(Value(world.daemon->Prepare(discard, facts)).loaded->info().id == CheckpointId{"", {7, 2}});
}

TEST_CASE("a store that is kept is kept without a look at what the checkpoints hold") {
  World world;
  world.DamageBlock(3);
  world.DamageHead(2);
  Daemon& daemon = world.Start();
  const StartFacts facts{.engine = EngineContent::kStore, .engine_revision = UINT64_MAX};
  CHECK(Value(daemon.Prepare({}, facts)).decision.action == Action::kKeep);
  CHECK(Value(daemon.Prepare({.policy = RestorePolicy::kNever}, {})).decision.action ==
        Action::kStartEmpty);
  CHECK(daemon.Names().size() == 3);
}

TEST_CASE("a first start finds nothing, and is empty") {
  Machine machine;
  TestEngine engine(machine.clock);
  Daemon daemon(machine, *engine, engine.ledger());
  const PreparedStart start = Value(daemon.Prepare());
  CHECK(start.decision.action == Action::kStartEmpty);
  CHECK(start.decision.history == History::kContinued);
}

TEST_CASE("a checkpoint of another store is restored only by its id") {
  World world;
  Daemon& daemon = world.Start();
  TestEngine foreign(world.machine.clock, {kStoreB, 900});
  foreign.AddNamespace("a", 5);
  foreign.Do(Put("theirs", "v").In(5));
  REQUIRE(world.machine.files.CreateDirectories("out").ok());
  testing::Write(*foreign, world.machine.files, "out/f", {.threads = 1}, {900, 1}, kStoreB);
  const CheckpointInfo imported =
      Value(ImportCheckpoint(*daemon.catalog, "out/f", ImportRule::kAnyStore, 8, daemon.progress));
  CHECK(Value(daemon.Prepare()).loaded->info().id == kThird);
  LoadedCheckpoint loaded = Value(daemon.restorer->Load(imported.id, daemon.progress));
  CHECK(loaded.min_incarnation() == 901);
  REQUIRE(Brief(world.Publish(std::move(loaded), {kStoreA, 901})) == "OK");
  CHECK(RowsOf(*world.engine, {5}).size() == 1);
}

TEST_CASE("a catalog with nothing but files of other stores and bad ones does not start empty") {
  World world;
  for (uint64_t i = 1; i <= 3; ++i) {
    TestEngine other(world.machine.clock);
    testing::Write(*other, world.machine.files, World::Path(i), {.threads = 1}, {7, i}, kStoreB);
  }
  Daemon& daemon = world.Start();
  const auto refused = daemon.Prepare();
  CHECK(Brief(refused) == "DATA_LOSS DATA_LOSS");
  CHECK(Says(refused.status(), kStoreB));
  // Somebody's good checkpoints are not set aside.
  CHECK(daemon.Names().size() == 3);
}

}  // namespace
}  // namespace tarn::checkpoint
