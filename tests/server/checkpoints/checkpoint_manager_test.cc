// Restores into a serving daemon, and all that can go wrong with them.
#include "server/checkpoints/checkpoint_manager.h"

#include <functional>

#include "absl/synchronization/notification.h"
#include "storage/base/random.h"
#include "tests/catch.h"
#include "tests/checkpoint/daemon.h"
#include "tests/support/status.h"

namespace tarn::server {
namespace {

using checkpoint::JobState;
using testing::Brief;
using testing::DoctoredEngine;
using testing::FaultDuration;
using testing::FaultFileSystem;
using testing::FaultKind;
using testing::TestEngine;
using testing::Value;

constexpr absl::Duration kPatience = absl::Seconds(60);

// A daemon without its network.
class World final : public StoreHost {
 public:
  explicit World(const CheckpointSchedule& schedule = {.interval = absl::ZeroDuration()})
      : inner_(clock, meta_), engine(*inner_) {
    directory_ = Value(storage::DataDirectory::Open(files, "data", "a test"));
    if (!directory_->WriteMeta(meta_, engine.name()).ok()) throw std::runtime_error("no meta");
    catalog = Value(checkpoint::Catalog::Open(files, "c", clock, {.threads = 1}));
    if (!catalog->Bind(meta_.store_id, "a test").ok()) throw std::runtime_error("not bound");
    restorer_ = std::make_unique<checkpoint::Restorer>(
        checkpoint::Restorer::Dependencies{engine, *catalog, clock, counts, 1});
    journal_ = std::make_unique<checkpoint::RestoreJournal>(files, "data/range-restore");
    range_restorer_ = std::make_unique<checkpoint::RangeRestorer>(
        checkpoint::RangeRestorer::Dependencies{engine, *catalog, *journal_});
    door = std::make_unique<storage::StoreDoor>(Value(OpenStore(meta_)));
    CheckpointManagerOptions options{.schedule = schedule};
    options.writer.threads = 1;
    manager = std::make_unique<CheckpointManager>(
        CheckpointManager::Dependencies{*door, inner_.ledger(), *directory_, *catalog, *restorer_,
                                        *range_restorer_, *this, clock, counts},
        meta_, options);
  }
  ~World() override {
    manager.reset();
    range_restorer_.reset();
    door.reset();
  }

  void Suspend() override {
    ++suspended;
    if (on_suspend) on_suspend();
  }
  void Resume() override { --suspended; }
  absl::StatusOr<std::unique_ptr<storage::Store>> OpenStore(
      const storage::StoreMeta& meta) override {
    if (!open_store.ok()) return open_store;
    return storage::Store::Open({engine, inner_.ledger(), clock, executor_, base::SystemRandom()},
                                meta, {});
  }

  std::string Run(storage::OperationKind kind, const std::string& key, const std::string& value) {
    storage::Operation operation;
    operation.kind = kind;
    operation.key = key;
    operation.value = value;
    absl::Notification done;
    std::string answer;
    door->Run({.operations = absl::MakeSpan(&operation, 1)}, [&](storage::BatchResult& result) {
      answer = Brief(result.status);
      if (result.status.ok()) {
        const storage::OperationResult& one = result.results[0];
        answer = one.found ? std::string(one.value) : "-";
      }
      done.Notify();
    });
    done.WaitForNotification();
    return answer;
  }
  void Put(const std::string& key, const std::string& value) {
    Run(storage::OperationKind::kPut, key, value);
  }
  std::string Get(const std::string& key) { return Run(storage::OperationKind::kGet, key, ""); }

  // The job's result, or its error in brief.
  std::string Await(const absl::StatusOr<checkpoint::JobId>& job) {
    if (!job.ok()) return Brief(job.status());
    const checkpoint::JobInfo ended = Value(manager->jobs().WaitForEnd(*job, kPatience));
    return ended.error.ok() ? ended.result : Brief(ended.error);
  }
  checkpoint::CheckpointId Create() {
    return *checkpoint::ParseCheckpointId(Await(manager->Create({})));
  }
  std::string Restore(const RestoreRequest& request) { return Await(manager->Restore(request)); }

  // k=old in the checkpoint that it returns, k=new now.
  checkpoint::CheckpointId Prepare() {
    Put("k", "old");
    const checkpoint::CheckpointId id = Create();
    Put("k", "new");
    return id;
  }

  size_t Pins() const {
    size_t pins = 0;
    for (const checkpoint::CheckpointInfo& info : catalog->List()) pins += info.pin ? 1 : 0;
    return pins;
  }

  FaultFileSystem files;
  base::ManualClock clock{testing::kStart};

 private:
  const storage::StoreMeta meta_{testing::kStoreA, 7};
  TestEngine inner_;
  base::ThreadPool executor_{{.threads = 1}};
  std::unique_ptr<storage::DataDirectory> directory_;
  std::unique_ptr<checkpoint::Restorer> restorer_;
  std::unique_ptr<checkpoint::RestoreJournal> journal_;
  std::unique_ptr<checkpoint::RangeRestorer> range_restorer_;

 public:
  DoctoredEngine engine;
  RestoreCounts counts;
  std::unique_ptr<checkpoint::Catalog> catalog;
  std::unique_ptr<storage::StoreDoor> door;
  int suspended = 0;
  std::function<void()> on_suspend;
  absl::Status open_store;
  std::unique_ptr<CheckpointManager> manager;
};

TEST_CASE("a restore exchanges the state, counts, and keeps the state before") {
  World world;
  const auto id = world.Prepare();
  CHECK(world.Restore({.id = id}) == ToString(id));
  CHECK(world.Get("k") == "old");
  CHECK(world.suspended == 0);
  CHECK(world.Pins() == 1);
  CHECK(world.manager->incarnation() == 8);
  CHECK(world.counts.Read().restores == 1);
  CHECK(world.manager->RestorePhase().empty());
}

TEST_CASE("without a safety checkpoint the state before is given up for good") {
  World world;
  const auto id = world.Prepare();
  CHECK(world.Restore({.id = id, .safety = SafetyCheckpoint::kSkip}) == ToString(id));
  CHECK(world.Get("k") == "old");
  CHECK(world.Pins() == 0);
}

TEST_CASE("a restore that fails before the switch leaves the old state, and no pin") {
  World world;
  const auto id = world.Prepare();
  SECTION("the engine cannot load") {
    world.engine.begin_bulk_load = absl::InternalError("no");
    CHECK(world.Restore({.id = id}) == "INTERNAL");
  }
  SECTION("the engine cannot switch") {
    world.engine.publish = absl::InternalError("no");
    CHECK(world.Restore({.id = id}) == "INTERNAL");
  }
  SECTION("there is no room for the safety checkpoint") {
    world.on_suspend = [&] { world.files.SetSpace({.free_bytes = 1, .total_bytes = 1 << 30}); };
    CHECK(world.Restore({.id = id}) == "RESOURCE_EXHAUSTED DISK_FULL");
  }
  SECTION("the next incarnation cannot be written down") {
    world.on_suspend = [&] {
      world.files.FailAt(world.files.operations(), FaultKind::kIoError, FaultDuration::kSticky);
    };
    CHECK(world.Restore({.id = id, .safety = SafetyCheckpoint::kSkip}) == "INTERNAL");
    world.files.Heal();
  }
  SECTION("it is cancelled") {
    world.on_suspend = [&] {
      for (const auto& job : world.manager->jobs().List())
        world.manager->jobs().Cancel(job.id).IgnoreError();
    };
    CHECK(world.Restore({.id = id}) == "CANCELLED");
  }
  CHECK(world.Get("k") == "new");
  world.Put("k", "newer");
  CHECK(world.Get("k") == "newer");
  CHECK(world.suspended == 0);
  CHECK(world.Pins() == 0);
  CHECK(world.counts.Read().failures == 1);
}

TEST_CASE("an engine that does not show what was restored is brought back to the state before") {
  World world;
  const auto id = world.Prepare();
  world.engine.loses_an_entry = true;
  CHECK(world.Restore({.id = id}) == "DATA_LOSS DATA_LOSS");
  CHECK(world.Get("k") == "new");
  CHECK(world.suspended == 0);
}

TEST_CASE("when there is no state before to go back to, nothing is served rather than the wrong") {
  World world;
  const auto id = world.Prepare();
  SECTION("the engine shows something else") {
    world.engine.loses_an_entry = true;
    CHECK(world.Restore({.id = id, .safety = SafetyCheckpoint::kSkip}) == "DATA_LOSS DATA_LOSS");
  }
  SECTION("no store can be opened on it") {
    world.open_store = absl::InternalError("no");
    CHECK(world.Restore({.id = id}) == "INTERNAL");
  }
  CHECK(world.Get("k") == "UNAVAILABLE NOT_READY");
  CHECK(world.suspended == 1);
}

TEST_CASE("while one restore runs another is refused, and verifying is not") {
  World world;
  const auto id = world.Prepare();
  std::string second;
  std::string phase;
  std::string validated;
  world.on_suspend = [&] {
    second = Brief(world.manager->Restore({.id = id}).status());
    phase = world.manager->RestorePhase();
    validated = Brief(world.manager->Restore({.id = id, .mode = RestoreMode::kValidateOnly}));
  };
  CHECK(world.Restore({.id = id}) == ToString(id));
  CHECK(second == "FAILED_PRECONDITION RESTORE_RUNNING");
  CHECK(phase.find("restoring checkpoint " + ToString(id)) == 0);
  CHECK(validated == "OK");
}

TEST_CASE("what cannot be restored is refused at once") {
  World world;
  CHECK(world.Restore({}) == "NOT_FOUND CHECKPOINT_NOT_FOUND");
  const auto id = world.Prepare();
  CHECK(world.Restore({.id = checkpoint::CheckpointId{.number = {9, 9}}}) ==
        "NOT_FOUND CHECKPOINT_NOT_FOUND");
  RestoreRequest range{.id = id, .range = RestoreRange{.bounds = {.prefix = "a", .start = "b"}}};
  CHECK(world.Restore(range) == "INVALID_ARGUMENT INVALID_RANGE");
  range.range = RestoreRange{.ns = "no spaces"};
  CHECK(world.Restore(range) == "INVALID_ARGUMENT INVALID_NAMESPACE_NAME");
  range.range = RestoreRange{};
  range.safety = SafetyCheckpoint::kSkip;
  CHECK(world.Restore(range) == "INVALID_ARGUMENT INVALID_REQUEST");
}

TEST_CASE("a range goes back, and what is outside and who asks for it does not notice") {
  World world;
  world.Put("z", "old");
  const auto id = world.Prepare();
  world.Put("z", "new");
  CHECK(world.Restore({.id = id, .range = RestoreRange{.bounds = {.prefix = "k"}}}) ==
        ToString(id));
  CHECK(world.Get("k") == "old");
  CHECK(world.Get("z") == "new");
  CHECK(world.suspended == 0);
}

TEST_CASE("a full restore voids what a restore of a range has still to do") {
  World world;
  const auto id = world.Prepare();
  world.Put("x", "new");
  // After the deletions nothing can be written, neither forward nor back.
  world.engine.batches_left = 1;
  CHECK(world.Restore({.id = id, .range = RestoreRange{}}) != ToString(id));
  CHECK(world.Get("k") == "UNAVAILABLE NOT_READY");
  world.engine.batches_left.reset();
  CHECK(world.Restore({.id = id}) == ToString(id));
  CHECK(world.Get("k") == "old");
  CHECK(world.Get("x") == "-");
}

TEST_CASE("a range between two states is finished by the next restore of a range") {
  World world;
  const auto id = world.Prepare();
  world.Put("x", "new");
  world.engine.batches_left = 1;
  CHECK(world.Restore({.id = id, .range = RestoreRange{}}) != ToString(id));
  world.engine.batches_left.reset();
  CHECK(world.Restore({.id = id, .range = RestoreRange{}}) == ToString(id));
  CHECK(world.Get("k") == "old");
}

TEST_CASE("a daemon that stops with a state that must not be served makes no checkpoint of it") {
  World world({.interval = absl::Hours(1)});
  const auto id = world.Prepare();
  SECTION("of everything") {
    world.engine.loses_an_entry = true;
    CHECK(world.Restore({.id = id, .safety = SafetyCheckpoint::kSkip}) == "DATA_LOSS DATA_LOSS");
  }
  SECTION("of a range") {
    world.Put("x", "new");
    world.engine.batches_left = 1;
    CHECK(world.Restore({.id = id, .range = RestoreRange{}}) != ToString(id));
  }
  const size_t before = world.catalog->List().size();
  CHECK_FALSE(world.manager->Stop().ok());
  CHECK(world.catalog->List().size() == before);
}

TEST_CASE("a manager that makes checkpoints on schedule makes a last one, and others make none") {
  const bool on = GENERATE(true, false);
  World world({.interval = on ? absl::Hours(1) : absl::ZeroDuration()});
  world.Put("k", "v");
  CHECK(world.manager->Stop().ok());
  CHECK(world.catalog->List().size() == (on ? 1 : 0));
  CHECK(Brief(world.manager->Create({}).status()) == "UNAVAILABLE DRAINING");
}

TEST_CASE("a final checkpoint that fails is said to have failed") {
  World world({.interval = absl::Hours(1)});
  world.Put("k", "v");
  world.files.SetSpace({.free_bytes = 1, .total_bytes = 1 << 30});
  CHECK(Brief(world.manager->Stop()) == "RESOURCE_EXHAUSTED DISK_FULL");
  CHECK(world.manager->Figures().status.failed == 1);
}

TEST_CASE("a schedule that is changed keeps what is protected") {
  World world;
  world.manager->SetSchedule({.interval = absl::Hours(1), .retention = {.newest = 3}});
  CHECK(world.manager->Figures().interval == absl::Hours(1));
  CHECK(world.manager->Figures().age >= absl::ZeroDuration());
}

}  // namespace
}  // namespace tarn::server
