// Which store a daemon finds itself with, and in which state.
#include "server/checkpoints/state_opening.h"

#include "server/exit_codes.h"
#include "tests/catch.h"
#include "tests/checkpoint/daemon.h"
#include "tests/support/status.h"

namespace tarn::server {
namespace {

using checkpoint::History;
using testing::Brief;
using testing::DoctoredEngine;
using testing::kStoreA;
using testing::kStoreB;
using testing::Says;
using testing::Value;

class Numbers final : public base::RandomSource {
 public:
  uint64_t Next() override { return ++last_; }

 private:
  uint64_t last_ = 0;
};

// The disks of a machine on which daemons are started.
struct World {
  testing::FaultFileSystem files;
  base::ManualClock clock{testing::kStart};
  Numbers random;
};

// One start, on an engine that is empty, as the memory engine is each time.
class Start {
 public:
  explicit Start(World& world) : world_(world), engine(*inner_) {
    directory = Value(storage::DataDirectory::Open(world.files, "data", "a test"));
    catalog = Value(checkpoint::Catalog::Open(world.files, "c", world.clock, {.threads = 1}));
    restorer_ = std::make_unique<checkpoint::Restorer>(
        checkpoint::Restorer::Dependencies{engine, *catalog, world.clock, counts, 1});
  }

  absl::StatusOr<OpenedState> Open(const checkpoint::StartRules& rules = {}) {
    checkpoint::Progress progress;
    return OpenState({engine, *directory, *catalog, *restorer_, counts, world_.random, world_.clock,
                      "process 1"},
                     rules, progress);
  }

  // The checkpoint of a state with one entry.
  std::string Checkpoint(const OpenedState& state) {
    checkpoint::Checkpointer checkpointer({engine, ledger_, *catalog, world_.clock, counts},
                                          state.meta, testing::Daemon::DefaultOptions());
    checkpoint::Progress progress;
    return ToString(Value(checkpointer.Create({}, progress)).info.id);
  }

 private:
  World& world_;
  storage::UsageLedger ledger_;
  const std::unique_ptr<storage::Engine> inner_ =
      Value(storage::MemoryEngine::Open({}, world_.clock, ledger_));
  std::unique_ptr<checkpoint::Restorer> restorer_;

 public:
  DoctoredEngine engine;
  RestoreCounts counts;
  std::unique_ptr<storage::DataDirectory> directory;
  std::unique_ptr<checkpoint::Catalog> catalog;
};

int CodeOf(const absl::StatusOr<OpenedState>& state) {
  return static_cast<int>(ExitCodeOf(state.status()));
}

TEST_CASE("where nothing is, a new store begins, and the catalog is its own") {
  World world;
  Start start(world);
  const OpenedState state = Value(start.Open());
  CHECK(state.meta.incarnation == 1);
  CHECK(start.catalog->store_id() == state.meta.store_id);
  CHECK(Value(start.directory->ReadMeta())->store_id == state.meta.store_id);
  CHECK(Value(start.directory->ReadCatalogPath()) == "c");
  CHECK(start.counts.Read().restores == 0);
}

TEST_CASE("each start is above every incarnation that any place knows") {
  World world;
  std::string store;
  {
    Start start(world);
    const OpenedState state = Value(start.Open());
    store = state.meta.store_id;
    start.Checkpoint({.meta = {store, 40}});
  }
  Start start(world);
  const OpenedState state = Value(start.Open());
  CHECK(state.meta.incarnation == 41);
  CHECK(start.counts.Read().restores == 1);
  CHECK(Value(start.directory->ReadBeginning())->incarnation == 41);
}

TEST_CASE("when only the catalog is left, its store goes on, whatever the engine is called") {
  World world;
  std::string store;
  {
    Start start(world);
    const OpenedState state = Value(start.Open());
    store = state.meta.store_id;
    start.Checkpoint(state);
  }
  REQUIRE(world.files.RemoveRecursively("data").ok());
  Start start(world);
  const OpenedState state = Value(start.Open());
  CHECK(state.meta.store_id == store);
  CHECK(state.meta.incarnation == 2);
  CHECK(start.counts.Read().restores == 1);
}

TEST_CASE("a catalog of another store is refused, both are named, and neither is changed") {
  World world;
  {
    Start start(world);
    REQUIRE(start.directory->WriteMeta({kStoreA, 3}, start.engine.name()).ok());
    REQUIRE(start.catalog->Bind(kStoreB, "process 1").ok());
  }
  Start start(world);
  const auto refused = start.Open();
  CHECK(CodeOf(refused) == 5);
  CHECK(Says(refused.status(), kStoreA));
  CHECK(Says(refused.status(), kStoreB));
  CHECK(Value(start.directory->ReadMeta())->incarnation == 3);
}

TEST_CASE("a catalog that another process has is refused, with who that is") {
  World world;
  std::string store;
  {
    Start start(world);
    store = Value(start.Open()).meta.store_id;
  }
  auto other = Value(checkpoint::Catalog::Open(world.files, "c", world.clock, {.threads = 1}));
  REQUIRE(other->Bind(store, "process 2").ok());
  Start start(world);
  const auto refused = start.Open();
  CHECK(CodeOf(refused) == 3);
  CHECK(Says(refused.status(), "process 2"));
}

TEST_CASE("a catalog that is gone is missed, unless it may be") {
  World world;
  REQUIRE(Start(world).Open().ok());
  REQUIRE(world.files.RemoveRecursively("c").ok());
  CHECK(CodeOf(Start(world).Open()) == 5);
  CHECK(Start(world).Open({.empty_start = checkpoint::EmptyStart::kAllow}).ok());
}

TEST_CASE("an empty start beside checkpoints breaks history") {
  World world;
  {
    Start start(world);
    start.Checkpoint(Value(start.Open()));
  }
  Start start(world);
  const OpenedState state = Value(start.Open({.policy = checkpoint::RestorePolicy::kNever}));
  CHECK(state.history == History::kBroken);
}

TEST_CASE("a start that could not switch to the checkpoint can be repeated") {
  World world;
  {
    Start start(world);
    start.Checkpoint(Value(start.Open()));
  }
  {
    Start start(world);
    start.engine.publish = absl::InternalError("no");
    CHECK(CodeOf(start.Open()) == 1);
  }
  Start start(world);
  CHECK(start.Open().ok());
}

TEST_CASE("a checkpoint that the engine does not show as it is must not be served") {
  World world;
  {
    Start start(world);
    const OpenedState state = Value(start.Open());
    testing::Do(start.engine, testing::Put("k", "v").In(storage::kSystemNamespace));
    start.Checkpoint(state);
  }
  Start start(world);
  start.engine.loses_an_entry = true;
  CHECK(CodeOf(start.Open()) == 4);
}

}  // namespace
}  // namespace tarn::server
