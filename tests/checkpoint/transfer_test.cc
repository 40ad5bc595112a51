#include "checkpoint/transfer.h"

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/checkpoint/world.h"
#include "tests/support/status.h"

namespace tarn::checkpoint {
namespace {

using testing::Brief;
using testing::FaultDuration;
using testing::FaultFileSystem;
using testing::FaultKind;
using testing::kStart;
using testing::kStoreA;
using testing::kStoreB;
using testing::Put;
using testing::Says;
using testing::TestEngine;
using testing::Value;

struct World {
  FaultFileSystem files;
  base::ManualClock clock{kStart};
  TestEngine engine{clock};
  std::unique_ptr<Catalog> catalog;
  Progress progress;

  World() {
    engine.AddNamespace("n", 1);
    for (int i = 0; i < 50; ++i) engine.Do(Put(absl::StrCat("k", i), std::string(100, 'v')));
    REQUIRE(files.CreateDirectories("out").ok());
    catalog = Value(Catalog::Open(files, "c", clock, {.threads = 1}));
    REQUIRE(catalog->Bind(kStoreA, "pid 1").ok());
  }

  CheckpointInfo Publish() {
    Catalog::Draft draft = catalog->NewDraft(7);
    testing::Write(*engine, files, draft.path(), {.threads = 1}, draft.id().number);
    return Value(std::move(draft).Publish());
  }
  absl::StatusOr<CheckpointInfo> Import(ImportRule rule = ImportRule::kOwnStore) {
    return ImportCheckpoint(*catalog, "out/f", rule, 7, progress);
  }
  void WriteForeign(const CheckpointNumber& number = {900, 3}) {
    testing::Write(*engine, files, "out/f", {.threads = 1}, number, kStoreB);
  }
};

TEST_CASE("an exported checkpoint is the same file, and is imported again under its id") {
  World world;
  const CheckpointInfo first = world.Publish();
  world.Publish();
  REQUIRE(ExportCheckpoint(*world.catalog, first.id, "out/f", world.progress).ok());
  CHECK(testing::Load(world.files, "out/f") == testing::Load(world.files, first.path));
  REQUIRE(world.catalog->Delete(first.id).ok());
  const CheckpointInfo imported = Value(world.Import());
  CHECK(imported.id == first.id);
  CHECK(imported.header.root == first.header.root);
  CHECK(Value(world.files.List("out")) == std::vector<std::string>{"f"});
}

TEST_CASE("what was imported or exported survives a power failure") {
  World world;
  const CheckpointInfo info = world.Publish();
  testing::Write(*world.engine, world.files, "out/f", {.threads = 1}, {7, 9});
  REQUIRE(world.files.SyncDirectory("out").ok());
  const CheckpointInfo imported = Value(world.Import());
  REQUIRE(ExportCheckpoint(*world.catalog, info.id, "out/g", world.progress).ok());
  world.files.Crash(testing::Unsynced::kLost, testing::Unsynced::kLost);
  CHECK(Brief(testing::VerifyFile(world.files, imported.path)) == "OK");
  CHECK(Brief(testing::VerifyFile(world.files, "out/g")) == "OK");
}

TEST_CASE("importing what is there already gives what is there") {
  World world;
  const CheckpointInfo info = world.Publish();
  REQUIRE(ExportCheckpoint(*world.catalog, info.id, "out/f", world.progress).ok());
  CHECK(Value(world.Import()).id == info.id);
  CHECK(world.catalog->List().size() == 1);
}

TEST_CASE("an import never takes the place of something else") {
  World world;
  world.Publish();
  world.engine.Do(Put("k", "other"));
  testing::Write(*world.engine, world.files, "out/f", {.threads = 1}, {7, 1});
  CHECK(Brief(world.Import()) == "ALREADY_EXISTS CHECKPOINT_EXISTS");
  // Not even of a file that this catalog does not know of.
  testing::Write(*world.engine, world.files, "out/f", {.threads = 1}, {7, 5});
  testing::Store(world.files, "c/00000007-0000000005.ckpt", "somebody's");
  CHECK(Brief(world.Import()) == "ALREADY_EXISTS CHECKPOINT_EXISTS");
}

TEST_CASE("a checkpoint of another store is imported only when that is said, and keeps its name") {
  World world;
  const CheckpointInfo own = world.Publish();
  world.WriteForeign();
  const auto refused = world.Import();
  CHECK(Brief(refused) == "FAILED_PRECONDITION OTHER_STORE");
  CHECK(Says(refused.status(), kStoreA));
  CHECK(Says(refused.status(), kStoreB));

  const CheckpointInfo imported = Value(world.Import(ImportRule::kAnyStore));
  CHECK(ToString(imported.id) == kStoreB + "-00000900-0000000003");
  CHECK(imported.health == Health::kIntact);
  // It counts for nothing but itself.
  CHECK(world.catalog->Newest()->id == own.id);
  CHECK(world.catalog->HighestIncarnation() == 7);
  CHECK(Brief(world.catalog->Delete(own.id)) == "FAILED_PRECONDITION LAST_CHECKPOINT");
  CHECK(Brief(world.catalog->Delete(imported.id)) == "OK");
}

TEST_CASE("a file of another store under a name of a third is noticed") {
  World world;
  world.WriteForeign();
  const CheckpointInfo imported = Value(world.Import(ImportRule::kAnyStore));
  testing::Write(*world.engine, world.files, imported.path, {.threads = 1}, {900, 3}, kStoreA);
  CHECK(Value(world.catalog->Refresh(imported.id)).health == Health::kOtherStore);
}

TEST_CASE("a checkpoint that this store has yet to come to is refused") {
  World world;
  testing::Write(*world.engine, world.files, "out/f", {.threads = 1}, {8, 1});
  const auto refused = world.Import();
  CHECK(Brief(refused) == "FAILED_PRECONDITION LATER_INCARNATION");
  CHECK(Says(refused.status(), "incarnation 8"));
  CHECK(Says(refused.status(), "incarnation 7"));
}

TEST_CASE("a damaged file is not imported, to the last byte") {
  World world;
  testing::Write(*world.engine, world.files, "out/f", {.threads = 1}, {7, 5});
  std::string bytes = testing::Load(world.files, "out/f");
  ++bytes[400];
  testing::Store(world.files, "out/f", bytes);
  const auto refused = world.Import();
  CHECK(Brief(refused) == "DATA_LOSS DATA_LOSS");
  CHECK(Says(refused.status(), "out/f is damaged at byte "));
  CHECK(world.catalog->List().empty());
  CHECK(Brief(ImportCheckpoint(*world.catalog, "out/none", ImportRule::kOwnStore, 7,
                               world.progress)) == "NOT_FOUND");
}

TEST_CASE("a damaged checkpoint is not exported, and what was there stays") {
  World world;
  const CheckpointInfo info = world.Publish();
  testing::Store(world.files, "out/f", "precious");
  std::string bytes = testing::Load(world.files, info.path);
  ++bytes[400];
  testing::Store(world.files, info.path, bytes);
  CHECK(Brief(ExportCheckpoint(*world.catalog, info.id, "out/f", world.progress)) ==
        "DATA_LOSS DATA_LOSS");
  CHECK(testing::Load(world.files, "out/f") == "precious");
  CHECK(Brief(ExportCheckpoint(*world.catalog, {"", {1, 1}}, "out/f", world.progress)) ==
        "NOT_FOUND CHECKPOINT_NOT_FOUND");
}

TEST_CASE("transfers that fail or are cancelled at any operation leave nothing behind") {
  World world;
  const CheckpointInfo info = world.Publish();
  testing::Write(*world.engine, world.files, "out/f", {.threads = 1}, {7, 9});
  const bool import = GENERATE(true, false);
  const FaultKind kind = GENERATE(FaultKind::kDiskFull, FaultKind::kIoError, FaultKind::kReadOnly);
  const auto attempt = [&] {
    if (import) return world.Import().status();
    return ExportCheckpoint(*world.catalog, info.id, "out/g", world.progress);
  };
  for (uint64_t operation = 0;; ++operation) {
    REQUIRE(operation < 200);
    world.files.FailAt(world.files.operations() + operation, kind, FaultDuration::kOnce);
    const absl::Status status = attempt();
    world.files.Heal();
    if (status.ok()) break;
    CAPTURE(operation, status.ToString());
    REQUIRE(world.catalog->Sweep().ok());
    CHECK(world.catalog->List().size() == 1);
    for (const std::string& name : Value(world.files.List("c")))
      CHECK(name.find(".tmp") == std::string::npos);
  }
}

TEST_CASE("a transfer that is cancelled ends") {
  World world;
  const CheckpointInfo info = world.Publish();
  testing::Write(*world.engine, world.files, "out/f", {.threads = 1}, {7, 9});
  world.progress.cancel = true;
  CHECK(Brief(world.Import()) == "CANCELLED");
  CHECK(Brief(ExportCheckpoint(*world.catalog, info.id, "out/g", world.progress)) == "CANCELLED");
  CHECK(Value(world.files.List("out")) == std::vector<std::string>{"f"});
}

}  // namespace
}  // namespace tarn::checkpoint
