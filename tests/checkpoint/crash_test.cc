// The machine fails at every file operation in turn. Afterwards the old or the new checkpoint is
// valid, never neither, and the next start succeeds.
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "checkpoint/transfer.h"
#include "tests/catch.h"
#include "tests/checkpoint/daemon.h"
#include "tests/support/status.h"

namespace tarn::checkpoint {
namespace {

using testing::Brief;
using testing::Daemon;
using testing::FaultDuration;
using testing::FaultKind;
using testing::kStoreA;
using testing::Machine;
using testing::Put;
using testing::Row;
using testing::RowsOf;
using testing::TestEngine;
using testing::Unsynced;
using testing::Value;

const std::vector<storage::NamespaceId> kAll = {0, 1};
using Rows = std::vector<Row>;

// A machine on which one daemon after the other lives, each in the next incarnation.
class Life {
 public:
  Life() { Start(); }

  Machine machine;
  std::unique_ptr<TestEngine> engine;
  std::unique_ptr<Daemon> daemon;

  // Restores what there is, as a daemon does. Throws when that fails: a start never may.
  void Start() {
    const storage::StoreMeta meta{kStoreA, ++incarnation_};
    daemon.reset();
    engine = std::make_unique<TestEngine>(machine.clock, meta);
    CheckpointerOptions options = Daemon::DefaultOptions();
    options.retention = {.newest = 1, .hours = 0, .days = 0};
    daemon = std::make_unique<Daemon>(machine, **engine, engine->ledger(), meta, options);
    PreparedStart start = Value(daemon->Prepare());
    if (start.loaded) {
      const absl::Status status = std::move(*start.loaded).Publish(meta, daemon->progress);
      if (!status.ok()) throw std::runtime_error(status.ToString());
    } else {
      engine->AddNamespace("n", 1);
    }
  }

  void Write(const std::string& value) {
    for (int i = 0; i < 5; ++i) engine->Do(Put(absl::StrCat("k", i), value));
  }
  Rows State() { return RowsOf(**engine, kAll); }
  uint64_t operations() const { return machine.files.operations(); }

  // From the operation with this number on, counted from now, nothing happens any more; then the
  // power fails, and the machine starts again.
  void DieAt(uint64_t operation) {
    machine.files.FailAt(operations() + operation, FaultKind::kIoError, FaultDuration::kSticky);
  }
  void Restart(Unsynced bytes, Unsynced names) {
    daemon.reset();
    machine.files.Heal();
    machine.files.Crash(bytes, names);
    Start();
  }

 private:
  storage::Incarnation incarnation_ = 6;
};

bool HasLeftovers(Machine& machine) {
  for (const std::string& name : Value(machine.files.List("c"))) {
    if (absl::EndsWith(name, ".tmp")) return true;
  }
  return false;
}

TEST_CASE(
    "a crash at any operation of a checkpoint leaves the old or the new one valid, never neither") {
  const Unsynced bytes = GENERATE(Unsynced::kLost, Unsynced::kKept, Unsynced::kTorn);
  const Unsynced names = GENERATE(Unsynced::kLost, Unsynced::kKept);
  bool done = false;
  for (uint64_t operation = 0; !done; ++operation) {
    REQUIRE(operation < 200);
    Life life;
    life.Write("old");
    Value(life.daemon->Create());
    const Rows old_state = life.State();
    life.Write("new");
    const Rows new_state = life.State();
    life.DieAt(operation);
    const bool created = life.daemon->Create().ok();
    done = created && life.operations() > 0 &&
           !absl::EndsWith(life.machine.files.trace().back(), " !");
    life.Restart(bytes, names);
    CAPTURE(operation, created);
    const Rows state = life.State();
    CHECK((state == old_state || state == new_state));
    if (created) CHECK(state == new_state);
    CHECK_FALSE(HasLeftovers(life.machine));
    CHECK(life.daemon->catalog->Quarantined().empty());
    // Life goes on, under numbers that were never used.
    life.Write("next");
    CHECK(Brief(life.daemon->Create()) == "OK");
    life.Restart(bytes, names);
    CHECK(life.State().back().value == "next");
  }
}

TEST_CASE("a crash at any operation of a start does no harm to any checkpoint") {
  const Unsynced names = GENERATE(Unsynced::kLost, Unsynced::kKept);
  bool done = false;
  for (uint64_t operation = 0; !done; ++operation) {
    REQUIRE(operation < 200);
    Life life;
    life.Write("v");
    Value(life.daemon->Create());
    const Rows state = life.State();
    // Leftovers to sweep, and a bad one to set aside.
    testing::Store(life.machine.files, "c/00000007-0000000005.ckpt.tmp", "left");
    testing::Store(life.machine.files, "c/00000007-0000000006.ckpt", "bad");
    life.daemon.reset();
    life.DieAt(operation);
    try {
      life.Start();
      done = !absl::EndsWith(life.machine.files.trace().back(), " !");
    } catch (const std::runtime_error&) {
    }
    life.Restart(Unsynced::kLost, names);
    CAPTURE(operation);
    CHECK(life.State() == state);
    CHECK_FALSE(HasLeftovers(life.machine));
  }
}

TEST_CASE("a crash at any operation of the very first start is made up for by the next") {
  bool done = false;
  for (uint64_t operation = 0; !done; ++operation) {
    REQUIRE(operation < 200);
    Machine machine;
    machine.files.FailAt(operation, FaultKind::kIoError, FaultDuration::kSticky);
    {
      TestEngine engine(machine.clock);
      try {
        const Daemon daemon(machine, *engine, engine.ledger());
        done = !absl::EndsWith(machine.files.trace().back(), " !");
      } catch (const std::runtime_error&) {
      }
    }
    machine.files.Heal();
    machine.files.Crash(Unsynced::kTorn, Unsynced::kKept);
    TestEngine engine(machine.clock);
    Daemon daemon(machine, *engine, engine.ledger());
    CHECK(daemon.catalog->store_id() == kStoreA);
    CHECK(Brief(daemon.Create()) == "OK");
  }
}

// Changes of a catalog with two checkpoints, of which the first is pinned.
struct Change {
  std::string name;
  std::function<absl::Status(Life&)> run;
};

const CheckpointId kPinned{"", {7, 1}};
const CheckpointId kNewest{"", {7, 2}};

std::vector<Change> Changes() {
  return {
      {"pin", [](Life& life) { return life.daemon->catalog->SetPin(kNewest, "why"); }},
      {"pin again", [](Life& life) { return life.daemon->catalog->SetPin(kPinned, "other"); }},
      {"unpin", [](Life& life) { return life.daemon->catalog->ClearPin(kPinned); }},
      {"delete", [](Life& life) { return life.daemon->catalog->Delete(kNewest); }},
      {"quarantine",
       [](Life& life) {
         return life.daemon->catalog->Quarantine(kNewest, absl::DataLossError("test"));
       }},
      {"import",
       [](Life& life) {
         return ImportCheckpoint(*life.daemon->catalog, "f", ImportRule::kOwnStore, 7,
                                 life.daemon->progress)
             .status();
       }},
      {"restore",
       [](Life& life) {
         return life.daemon->restorer->Load(kNewest, life.daemon->progress).status();
       }},
  };
}

TEST_CASE(
    "a crash at any operation of any change leaves a catalog that starts, and pins that hold") {
  const Unsynced names = GENERATE(Unsynced::kLost, Unsynced::kKept);
  for (const Change& change : Changes()) {
    bool done = false;
    for (uint64_t operation = 0; !done; ++operation) {
      REQUIRE(operation < 200);
      Life life;
      life.Write("first");
      Value(life.daemon->Create({.pin_reason = "mine"}));
      const Rows first = life.State();
      life.Write("second");
      Value(life.daemon->Create());
      const Rows second = life.State();
      testing::Write(**life.engine, life.machine.files, "f", {.threads = 1}, {6, 1});
      life.DieAt(operation);
      const absl::Status status = change.run(life);
      done = status.ok() && !absl::EndsWith(life.machine.files.trace().back(), " !");
      life.Restart(Unsynced::kLost, names);
      CAPTURE(change.name, operation, status.ToString());
      const Rows state = life.State();
      CHECK((state == first || state == second));
      const CheckpointInfo pinned = Value(life.daemon->catalog->Get(kPinned));
      if (change.name != "unpin") {
        REQUIRE(pinned.pin);
        CHECK((pinned.pin->reason == "mine" || pinned.pin->reason == "other"));
      }
      if (change.name == "pin" && status.ok())
        CHECK(Value(life.daemon->catalog->Get(kNewest)).pin->reason == "why");
      CHECK_FALSE(HasLeftovers(life.machine));
    }
  }
}

TEST_CASE(
    "a full disk, an I/O error or a read-only disk at any operation fails one checkpoint and loses "
    "nothing") {
  const FaultKind kind = GENERATE(FaultKind::kDiskFull, FaultKind::kIoError, FaultKind::kReadOnly);
  const FaultDuration duration = GENERATE(FaultDuration::kOnce, FaultDuration::kSticky);
  bool done = false;
  for (uint64_t operation = 0; !done; ++operation) {
    REQUIRE(operation < 200);
    Life life;
    life.Write("old");
    Value(life.daemon->Create());
    life.Write("new");
    const Rows new_state = life.State();
    life.machine.files.FailAt(life.operations() + operation, kind, duration);
    const auto report = life.daemon->Create();
    const CheckpointerStatus status = life.daemon->checkpointer->Status();
    done = !absl::StrContains(absl::StrJoin(life.machine.files.trace(), "\n"), " !");
    life.machine.files.Heal();
    CAPTURE(operation, report.status().ToString());
    if (!report.ok()) {
      CHECK(status.failed == 1);
      CHECK(status.last_error == report.status());
      if (kind == FaultKind::kDiskFull) CHECK(Brief(report) == "RESOURCE_EXHAUSTED DISK_FULL");
      // The old one is still there, and whole.
      REQUIRE(life.daemon->Names().size() == 1);
      CHECK(Brief(testing::VerifyFile(life.machine.files, life.daemon->catalog->Newest()->path)) ==
            "OK");
    }
    // It recovers by itself, and leaves nothing behind.
    CHECK(Brief(life.daemon->Create()) == "OK");
    CHECK(life.daemon->checkpointer->Status().last_error.ok());
    CHECK_FALSE(HasLeftovers(life.machine));
    life.Restart(Unsynced::kLost, Unsynced::kLost);
    CHECK(life.State() == new_state);
  }
}

TEST_CASE(
    "a disk that fails at any operation of a change is told of, and the change can be made again") {
  const FaultKind kind = GENERATE(FaultKind::kDiskFull, FaultKind::kIoError, FaultKind::kReadOnly);
  for (const Change& change : Changes()) {
    bool done = false;
    for (uint64_t operation = 0; !done; ++operation) {
      REQUIRE(operation < 200);
      Life life;
      life.Write("first");
      Value(life.daemon->Create({.pin_reason = "mine"}));
      life.Write("second");
      Value(life.daemon->Create());
      testing::Write(**life.engine, life.machine.files, "f", {.threads = 1}, {6, 1});
      life.machine.files.FailAt(life.operations() + operation, kind, FaultDuration::kOnce);
      const absl::Status status = change.run(life);
      done = !absl::StrContains(absl::StrJoin(life.machine.files.trace(), "\n"), " !");
      life.machine.files.Heal();
      CAPTURE(change.name, operation, status.ToString());
      if (!status.ok()) {
        const std::string again = Brief(change.run(life));
        // What was renamed or removed before the directory could not be synced is so already.
        CHECK((again == "OK" || again == "NOT_FOUND CHECKPOINT_NOT_FOUND"));
      }
      CHECK(life.daemon->catalog->Newest());
      life.Restart(Unsynced::kKept, Unsynced::kKept);
    }
  }
}

TEST_CASE("a disk that is full for a long time stops checkpoints, and nothing else") {
  Life life;
  life.Write("old");
  Value(life.daemon->Create());
  life.machine.files.FailAt(life.operations(), FaultKind::kDiskFull, FaultDuration::kSticky);
  for (int i = 0; i < 20; ++i) {
    life.Write(absl::StrCat("v", i));
    CHECK(Brief(life.daemon->Create()) == "RESOURCE_EXHAUSTED DISK_FULL");
  }
  CHECK(life.daemon->checkpointer->Status().failed == 20);
  life.machine.files.Heal();
  CHECK(Brief(life.daemon->Create()) == "OK");
  CHECK_FALSE(HasLeftovers(life.machine));
}

}  // namespace
}  // namespace tarn::checkpoint
