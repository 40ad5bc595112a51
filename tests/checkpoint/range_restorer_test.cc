#include "checkpoint/range_restorer.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/text_record.h"
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
using testing::kStart;
using testing::kStoreA;
using testing::Machine;
using testing::Put;
using testing::Row;
using testing::RowsOf;
using testing::Says;
using testing::TestEngine;
using testing::Unsynced;
using testing::Value;

using Lines = std::vector<std::string>;

// Says who was kept out of what, and for how long.
class FakeGate final : public RangeGate {
 public:
  bool closed = false;
  absl::Status refusal;
  Lines history;

  absl::StatusOr<std::unique_ptr<Closure>> Close(absl::string_view ns, const std::string& start,
                                                 const std::string& end) override {
    if (!refusal.ok()) return refusal;
    history.push_back(absl::StrCat("closed ", ns, " ", start, "-", end));
    closed = true;
    return std::make_unique<FakeClosure>(*this);
  }

 private:
  class FakeClosure final : public Closure {
   public:
    explicit FakeClosure(FakeGate& gate) : gate_(gate) {}
    ~FakeClosure() override {
      gate_.closed = false;
      gate_.history.push_back("opened");
    }
    storage::NamespaceId ns() const override { return 1; }

   private:
    FakeGate& gate_;
  };
};

// A store with a checkpoint of better days, and what has become of it since.
struct World {
  Machine machine;
  TestEngine engine{machine.clock};
  DoctoredEngine doctored{*engine};
  Daemon daemon{machine, doctored, engine.ledger()};
  FakeGate gate;
  RestoreJournal journal{machine.files, "d/range-restore"};
  std::unique_ptr<RangeRestorer> restorer;
  std::vector<Row> then;
  std::vector<Row> now;
  int batches = 0;

  World() {
    REQUIRE(machine.files.CreateDirectories("d").ok());
    engine.AddNamespace("n", 1);
    engine.AddNamespace("other", 2);
    for (const char* key : {"a1", "m1", "m2", "m3", "m4", "z1"})
      engine.Do(Put(key, absl::StrCat("then ", key)).Until(kStart + 1'000'000));
    engine.Do(Put("m2", "theirs").In(2));
    Value(daemon.Create({.pin_reason = "better days"}));
    then = RowsOf(*engine, {1});
    engine.Do(Put("a1", "now"));
    engine.Do(Put("m1", "now"));
    engine.Do(Delete("m2"));
    engine.Do(Put("m3", "then m3").Until(kStart + 5));  // Another deadline.
    engine.Do(Put("m5", "new"));
    engine.Do(Put("m2", "now theirs").In(2));
    now = RowsOf(*engine, {1});
    Restart();
  }

  // The next process, over what the engine and the disk hold.
  void Restart() {
    restorer = std::make_unique<RangeRestorer>(
        RangeRestorer::Dependencies{doctored, *daemon.catalog, journal});
  }
  absl::Status Restore(const std::string& start = "m", const std::string& end = "n") {
    return restorer->Restore(
        {.target = {"", {7, 1}}, .ns = "n", .start = start, .end = end}, gate,
        [this]() -> absl::StatusOr<CheckpointId> {
          const auto report = daemon.Create({.pin_reason = "before a restore"});
          if (!report.ok()) return report.status();
          return report->info.id;
        },
        daemon.progress);
  }
  absl::Status Settle() { return restorer->Settle(doctored.Stats().revision, daemon.progress); }
  // "a1=then a1 m1=now ...", of the namespace that is restored.
  std::string State() { return Text(RowsOf(*engine, {1})); }
  static std::string Text(const std::vector<Row>& rows) {
    std::string text;
    for (const Row& row : rows)
      absl::StrAppend(&text, row.key, "=", row.value, "@", row.deadline - kStart, " ");
    return text;
  }
  // What a restore of "m" to "n" makes of it.
  std::string Restored() const {
    std::vector<Row> rows = {now.front()};
    for (const Row& row : then) {
      if (row.key[0] == 'm') rows.push_back(row);
    }
    rows.push_back(now.back());
    return Text(rows);
  }
};

TEST_CASE("a range is again what it was in the checkpoint, and nothing else changes") {
  World world;
  const std::vector<Row> others = RowsOf(*world.engine, {2});
  REQUIRE(Brief(world.Restore()) == "OK");
  CHECK(world.State() == world.Restored());
  CHECK(RowsOf(*world.engine, {2}) == others);
  CHECK(world.gate.history == Lines{"closed n m-n", "opened"});
}

TEST_CASE("what was the same keeps its revision, what changed gets a new one") {
  World world;
  const auto revision = [&](const std::string& key) {
    for (const Row& row : RowsOf(*world.engine, {1})) {
      if (row.key == key) return row.revision;
    }
    return storage::Revision{0};
  };
  const storage::Revision same = revision("m4");
  const storage::Revision newest = world.engine->Stats().revision;
  REQUIRE(world.Restore().ok());
  CHECK(revision("m4") == same);
  CHECK(revision("m1") > newest);
  CHECK(revision("m2") > newest);
  CHECK(revision("m3") > newest);
}

TEST_CASE("a whole namespace, and a range that is empty in one of the two, are restored") {
  World world;
  SECTION("all of it") {
    REQUIRE(world.Restore("", "").ok());
    CHECK(world.State() == World::Text(world.then));
  }
  SECTION("empty then") {
    REQUIRE(world.Restore("m5", "m6").ok());
    CHECK_FALSE(absl::StrContains(world.State(), "m5"));
  }
  SECTION("empty now") {
    REQUIRE(world.Restore("m2", "m3").ok());
    CHECK(absl::StrContains(world.State(), "m2=then m2"));
  }
  SECTION("empty in both") {
    REQUIRE(world.Restore("q", "r").ok());
    CHECK(world.State() == World::Text(world.now));
  }
}

TEST_CASE("what has expired since is not brought back") {
  World world;
  world.machine.clock.Advance(1'000'000);
  REQUIRE(world.Restore().ok());
  CHECK(world.State() == "a1=now@" + std::to_string(-kStart) + " ");
}

TEST_CASE("a restore of much is made in many commits, and may be cancelled, which undoes it") {
  World world;
  for (int i = 0; i < 3000; ++i) world.engine.Do(Put(absl::StrCat("m/", i), std::string(100, 'x')));
  Value(world.daemon.Create());
  for (int i = 0; i < 3000; ++i) world.engine.Do(Put(absl::StrCat("m/", i), "now"));
  const std::string before = world.State();
  const RangeRestoreRequest request{.target = {"", {7, 2}}, .ns = "n"};
  const auto safety = [&]() -> absl::StatusOr<CheckpointId> {
    return Value(world.daemon.Create({.pin_reason = "safety"})).info.id;
  };
  int batches = 0;
  world.doctored.on_batch = [&] {
    if (++batches == 3) world.daemon.progress.cancel = true;
  };
  CHECK(Brief(world.restorer->Restore(request, world.gate, safety, world.daemon.progress)) ==
        "CANCELLED");
  CHECK(batches > 3);
  CHECK(world.State() == before);
  CHECK_FALSE(world.gate.closed);
  world.daemon.progress.cancel = false;
  batches = 10;
  CHECK(Brief(world.restorer->Restore(request, world.gate, safety, world.daemon.progress)) == "OK");
  CHECK(batches > 15);
  CHECK(absl::StrContains(world.State(), "m/2999=xxx"));
}

TEST_CASE("a bad or missing checkpoint changes nothing, and closes nothing") {
  World world;
  const std::string path = world.daemon.catalog->Newest()->path;
  SECTION("damaged") {
    std::string bytes = testing::Load(world.machine.files, path);
    ++bytes[300];
    testing::Store(world.machine.files, path, bytes);
    CHECK(Brief(world.Restore()) == "DATA_LOSS DATA_LOSS");
  }
  SECTION("missing") {
    REQUIRE(world.machine.files.Remove(path).ok());
    CHECK(Brief(world.Restore()) == "NOT_FOUND CHECKPOINT_NOT_FOUND");
  }
  CHECK(world.gate.history.empty());
  CHECK(world.State() == World::Text(world.now));
}

TEST_CASE(
    "a range that cannot be closed, or a safety checkpoint that cannot be made, changes nothing") {
  World world;
  SECTION("closed") {
    world.gate.refusal = absl::FailedPreconditionError("no such namespace");
    CHECK(world.Restore() == world.gate.refusal);
  }
  SECTION("safety") {
    world.doctored.open_snapshot = absl::UnavailableError("no snapshot");
    CHECK(Brief(world.Restore()) == "UNAVAILABLE");
    CHECK_FALSE(world.gate.closed);
  }
  world.doctored.open_snapshot = world.gate.refusal = absl::OkStatus();
  CHECK(world.State() == World::Text(world.now));
  CHECK(Brief(world.Restore()) == "OK");
}

TEST_CASE(
    "an engine that fails in the middle is undone when it works again; until then the range stays "
    "closed") {
  World world;
  for (int left = 0; left < 4; ++left) {
    World one;
    one.doctored.batches_left = left;
    const absl::Status status = one.Restore();
    one.doctored.batches_left.reset();
    CAPTURE(left, status.ToString());
    if (status.ok()) CHECK(one.State() == one.Restored());
    // Without a commit there is nothing to undo.
    if (left == 0) CHECK(one.State() == World::Text(one.now));
    if (status.ok() || left == 0) {
      CHECK_FALSE(one.gate.closed);
      continue;
    }
    CHECK(one.gate.closed);
    CHECK(Says(status, "the range stays closed until its restore is settled"));
    CHECK(Brief(one.Restore()) == "FAILED_PRECONDITION");
    CHECK(Brief(one.Settle()) == "OK");
    CHECK_FALSE(one.gate.closed);
    CHECK(one.State() == World::Text(one.now));
    CHECK(Brief(one.Restore()) == "OK");
    CHECK(one.State() == one.Restored());
  }
}

TEST_CASE(
    "a crash at any operation of a restore leaves the range in one of the two states after the "
    "next start") {
  const bool power = GENERATE(false, true);
  bool done = false;
  for (uint64_t operation = 0; !done; ++operation) {
    REQUIRE(operation < 300);
    World world;
    world.machine.files.FailAt(world.machine.files.operations() + operation, FaultKind::kIoError,
                               FaultDuration::kSticky);
    // The process dies with the disk: what it would still do to the engine is not done.
    const absl::Status status = world.Restore();
    done = !absl::EndsWith(world.machine.files.trace().back(), " !");
    world.machine.files.Heal();
    if (power) world.machine.files.Crash(Unsynced::kLost, Unsynced::kLost);
    world.Restart();
    CAPTURE(operation, status.ToString());
    REQUIRE(Brief(world.Settle()) == "OK");
    const std::string state = world.State();
    CHECK((state == world.Restored() || state == World::Text(world.now)));
    if (status.ok()) CHECK(state == world.Restored());
    // And it is settled for good.
    REQUIRE(Brief(world.Settle()) == "OK");
    CHECK(world.State() == state);
    CHECK_FALSE(Value(world.journal.Read()));
  }
}

TEST_CASE(
    "a disk that fails once at any operation of a restore leaves what the answer says, for good") {
  bool done = false;
  for (uint64_t operation = 0; !done; ++operation) {
    REQUIRE(operation < 300);
    World world;
    const size_t before = world.machine.files.trace().size();
    world.machine.files.FailAt(before + operation, FaultKind::kIoError, FaultDuration::kOnce);
    const absl::Status status = world.Restore();
    done = world.machine.files.trace().size() <= before + operation;
    world.machine.files.Heal();
    CAPTURE(operation, status.ToString());
    const std::string expected = status.ok() ? world.Restored() : World::Text(world.now);
    if (world.gate.closed) {
      CHECK(Says(status, "stays closed"));
      REQUIRE(world.Settle().ok());
    }
    CHECK(world.State() == expected);
    CHECK_FALSE(world.gate.closed);
    // A later start does not make up its mind anew.
    world.Restart();
    REQUIRE(Brief(world.Settle()) == "OK");
    CHECK(world.State() == expected);
  }
}

TEST_CASE("a start after a crash in the middle finishes what was begun") {
  World world;
  world.doctored.batches_left = 1;
  CHECK_FALSE(world.Restore().ok());
  // Died before it could write that it goes back.
  RestoreIntent intent = *Value(world.journal.Read());
  intent.target = {{"", {7, 1}}, Value(world.daemon.catalog->Get({"", {7, 1}})).header.root};
  REQUIRE(world.journal.Write(intent).ok());
  world.doctored.batches_left.reset();
  world.Restart();
  REQUIRE(Brief(world.Settle()) == "OK");
  CHECK(world.State() == world.Restored());
}

TEST_CASE("a start that finds the checkpoint spoiled goes back to the state before") {
  World world;
  world.doctored.batches_left = 1;
  CHECK_FALSE(world.Restore().ok());
  RestoreIntent intent = *Value(world.journal.Read());
  const bool replaced = GENERATE(true, false);
  intent.target = {{"", {7, 1}}, {}};
  if (!replaced) intent.target.id.number.sequence = 99;
  REQUIRE(world.journal.Write(intent).ok());
  world.doctored.batches_left.reset();
  world.Restart();
  REQUIRE(Brief(world.Settle()) == "OK");
  CHECK(world.State() == World::Text(world.now));
}

TEST_CASE("a store that lost the last commits of a restore gets them again") {
  World world;
  REQUIRE(world.Restore().ok());
  const RestoreIntent intent = *Value(world.journal.Read());
  CHECK(intent.done_at == world.engine->Stats().revision);
  // As after a power failure with an engine that does not sync each commit.
  world.engine.Do(Put("m1", "lost"));
  REQUIRE(Brief(world.restorer->Settle(intent.done_at - 1, world.daemon.progress)) == "OK");
  CHECK(world.State() == world.Restored());
  REQUIRE(Brief(world.Settle()) == "OK");
  CHECK_FALSE(Value(world.journal.Read()));
}

TEST_CASE("a restore of a namespace that is gone is dropped") {
  World world;
  REQUIRE(world.journal
              .Write({.target = {{"", {7, 1}}, {}}, .safety = {{"", {7, 1}}, {}}, .ns = "gone"})
              .ok());
  CHECK(Brief(world.Settle()) == "OK");
  CHECK_FALSE(Value(world.journal.Read()));
  CHECK(world.State() == World::Text(world.now));
}

// --- the journal ---

RestoreIntent SomeIntent() {
  RestoreIntent intent{.target = {{"", {7, 42}}, {}},
                       .safety = {{testing::kStoreB, {8, 1}}, {}},
                       .ns = "orders",
                       .start = std::string("\0\n", 2),
                       .end = "",
                       .done_at = 77};
  intent.target.root.fill(0xab);
  intent.safety.root.fill(0x01);
  return intent;
}

TEST_CASE("the journal is read back as it was written, and has golden bytes") {
  Machine machine;
  RestoreJournal journal(machine.files, "j");
  CHECK_FALSE(Value(journal.Read()));
  REQUIRE(journal.Clear().ok());
  REQUIRE(journal.Write(SomeIntent()).ok());
  const std::string text = testing::Load(machine.files, "j");
  CHECK(text ==
        "tarn-range-restore 1\ntarget 00000007-0000000042\ntarget_root "
        "abababababababababababababababababababababababababababababababab\nsafety "
        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-00000008-0000000001\nsafety_root "
        "0101010101010101010101010101010101010101010101010101010101010101\nnamespace orders\n"
        "start 000a\nend \ndone_at 77\nchecksum ed044724dc9d88f3\n");
  const RestoreIntent read = *Value(journal.Read());
  REQUIRE(journal.Write(read).ok());
  CHECK(testing::Load(machine.files, "j") == text);
  REQUIRE(journal.Clear().ok());
  CHECK_FALSE(Value(journal.Read()));
}

TEST_CASE("a journal that is damaged says so, and nothing is done") {
  World world;
  const std::string good_root(64, '0');
  using Fields = std::vector<std::string>;
  const Fields good = {
      "00000007-0000000001", good_root, "00000007-0000000001", good_root, "n", "", "", "0"};
  const auto write = [&](const Fields& values) {
    const char* const names[] = {"target",    "target_root", "safety", "safety_root",
                                 "namespace", "start",       "end",    "done_at"};
    std::vector<storage::TextField> fields;
    for (size_t i = 0; i < values.size(); ++i) fields.push_back({names[i], values[i]});
    testing::Store(world.machine.files, "d/range-restore",
                   storage::EncodeTextRecord("range-restore", fields));
  };
  write(good);
  CHECK(Brief(world.journal.Read()) == "OK");
  const std::pair<size_t, std::string> bad[] = {
      {0, "7-1"}, {1, "00"}, {1, good_root.substr(2) + "xy"}, {2, ""}, {3, "0"}, {5, "0"},
      {6, "zz"},  {7, "x"}};
  for (const auto& [field, value] : bad) {
    Fields values = good;
    values[field] = value;
    write(values);
    CAPTURE(field, value);
    CHECK(Brief(world.Settle()) == "DATA_LOSS DATA_LOSS");
    CHECK(Brief(world.Restore()) == "DATA_LOSS DATA_LOSS");
  }
  testing::Store(world.machine.files, "d/range-restore", "garbage");
  CHECK(Says(world.Settle(), "d/range-restore is damaged"));
  testing::Store(world.machine.files, "d/range-restore", "tarn-range-restore 2\n");
  CHECK(Brief(world.Settle()) == "FAILED_PRECONDITION");
  CHECK(world.State() == World::Text(world.now));
}

}  // namespace
}  // namespace tarn::checkpoint
