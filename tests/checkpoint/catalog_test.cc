#include "checkpoint/catalog.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/text_record.h"
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
using testing::Unsynced;
using testing::Value;

TEST_CASE("ids are fixed in width, so that names sort as checkpoints do") {
  CHECK(ToString({"", {7, 42}}) == "00000007-0000000042");
  CHECK(ToString({kStoreB, {7, 42}}) == kStoreB + "-00000007-0000000042");
  CHECK(ToString({"", {storage::kMaxIncarnation, 9'999'999'999}}) == "16777215-9999999999");
}

TEST_CASE("an id is read back from exactly what it is written as") {
  for (const CheckpointId& id : {CheckpointId{"", {7, 42}}, CheckpointId{kStoreB, {1, 1}}})
    CHECK(ParseCheckpointId(ToString(id)) == id);
  for (const std::string& text :
       {std::string(), std::string("7-42"), std::string("00000007_0000000042"),
        std::string("00000007-000000042"), std::string("0000000x-0000000042"),
        std::string("16777216-0000000001"), std::string("-0000001-0000000042"),
        std::string(32, 'A') + "-00000007-0000000042", kStoreB + "-",
        std::string(" 00000007-0000000042")}) {
    CAPTURE(text);
    CHECK_FALSE(ParseCheckpointId(text));
  }
}

TEST_CASE("only the names a catalog makes are its files") {
  const CheckpointId id{"", {7, 42}};
  for (const auto kind : {CatalogFileKind::kPublished, CatalogFileKind::kTemporary,
                          CatalogFileKind::kQuarantined, CatalogFileKind::kPin}) {
    const auto parsed = ParseFileName(FileName(id, kind));
    REQUIRE(parsed);
    CHECK(parsed->kind == kind);
    CHECK(parsed->id == id);
  }
  CHECK(ParseFileName("00000007-0000000042.pin.tmp")->kind == CatalogFileKind::kTemporary);
  for (const char* name : {"store", "LOCK", "notes.txt", "x.ckpt", "00000007-0000000042",
                           "00000007-0000000042.ckpt.bak", "x.tmp", "00000007-0000000042.corrupt",
                           "00000007-0000000042.ckpt.corrupt.tmp"}) {
    CAPTURE(name);
    CHECK_FALSE(ParseFileName(name));
  }
}

// A daemon with an engine, whose catalog can be opened again and again.
struct World {
  FaultFileSystem files;
  base::ManualClock clock{kStart};
  TestEngine engine{clock};

  World() { engine.AddNamespace("n", 1); }

  absl::StatusOr<std::unique_ptr<Catalog>> TryOpen() {
    return Catalog::Open(files, "c", clock, {.threads = 1});
  }
  std::unique_ptr<Catalog> Open(const std::string& store = kStoreA) {
    auto catalog = Value(TryOpen());
    const absl::Status bound = catalog->Bind(store, "pid 1");
    if (!bound.ok()) throw std::runtime_error(bound.ToString());
    return catalog;
  }

  CheckpointInfo Publish(Catalog& catalog, storage::Incarnation incarnation = 7) {
    Catalog::Draft draft = catalog.NewDraft(incarnation);
    testing::Write(*engine, files, draft.path(), {.threads = 1}, draft.id().number);
    return Value(std::move(draft).Publish());
  }

  // "00000007-0000000001 intact", one after the other.
  static std::vector<std::string> Names(const Catalog& catalog) {
    std::vector<std::string> names;
    for (const CheckpointInfo& info : catalog.List()) names.push_back(ToString(info.id));
    return names;
  }
  bool Exists(const std::string& name) { return Value(files.Exists("c/" + name)); }
  void Damage(const std::string& name) {
    std::string bytes = testing::Load(files, "c/" + name);
    ++bytes[bytes.size() / 2 + 100];
    ++bytes[100];
    testing::Store(files, "c/" + name, bytes);
  }
};

const CheckpointId kFirst{"", {7, 1}};

TEST_CASE("a catalog is created empty, for nobody, and bound to the first store that comes") {
  World world;
  auto catalog = Value(world.TryOpen());
  CHECK_FALSE(catalog->store_id());
  CHECK(catalog->List().empty());
  CHECK(catalog->HighestIncarnation() == 0);
  CHECK_FALSE(catalog->Newest());
  REQUIRE(catalog->Bind(kStoreA, "pid 1").ok());
  CHECK(catalog->store_id() == kStoreA);
  catalog.reset();
  CHECK(Value(world.TryOpen())->store_id() == kStoreA);
}

TEST_CASE("the files beside checkpoints have golden bytes") {
  World world;
  const auto catalog = world.Open();
  world.Publish(*catalog);
  REQUIRE(catalog->SetPin(kFirst, "before the migration").ok());
  CHECK(testing::Load(world.files, "c/store") ==
        "tarn-catalog 1\nstore " + kStoreA + "\nchecksum 876e67d42beae849\n");
  CHECK(testing::Load(world.files, "c/00000007-0000000001.pin") ==
        "tarn-pin 1\nreason before the migration\ntime 1700000000000\nchecksum f7b0a194a81a0f28\n");
}

TEST_CASE("a catalog of another store is refused, and both are named") {
  World world;
  world.Open();
  const auto catalog = Value(world.TryOpen());
  const absl::Status status = catalog->Bind(kStoreB, "pid 2");
  CHECK(Brief(status) == "FAILED_PRECONDITION");
  CHECK(status.message() == "the checkpoint directory c belongs to store " + kStoreA +
                                ", but this is store " + kStoreB);
}

TEST_CASE("a catalog that lost its own file is known by its checkpoints") {
  World world;
  world.Publish(*world.Open());
  const bool damaged = GENERATE(true, false);
  if (damaged) testing::Store(world.files, "c/store", "tarn-catalog 1\nstore x\n");
  if (!damaged) REQUIRE(world.files.Remove("c/store").ok());
  const auto catalog = Value(world.TryOpen());
  CHECK(catalog->store_id() == kStoreA);
  CHECK(Brief(catalog->Bind(kStoreB, "pid 2")) == "FAILED_PRECONDITION");
  CHECK(Brief(catalog->Bind(kStoreA, "pid 2")) == "OK");
  CHECK(testing::Load(world.files, "c/store").find(kStoreA) != std::string::npos);
}

TEST_CASE("a catalog of a later version is refused") {
  World world;
  world.Open();
  testing::Store(world.files, "c/store", "tarn-catalog 2\nwhatever\n");
  CHECK(Brief(world.TryOpen()) == "FAILED_PRECONDITION");
}

TEST_CASE("a second daemon is told who has the catalog; looking at it is allowed") {
  World world;
  const auto first = world.Open();
  world.Publish(*first);
  const auto second = Value(world.TryOpen());
  CHECK(World::Names(*second).size() == 1);
  const absl::Status status = second->Bind(kStoreA, "pid 2");
  CHECK(Brief(status) == "FAILED_PRECONDITION");
  CHECK(Says(status, "cannot use the checkpoint directory c"));
  CHECK(Says(status, "pid 1"));
}

TEST_CASE("checkpoints are listed in the order of their ids, whatever their times") {
  World world;
  auto catalog = world.Open();
  world.clock.Advance(5000);
  world.Publish(*catalog, 8);
  world.clock.Advance(-4000);
  world.Publish(*catalog, 9);
  world.clock.Advance(10'000);
  world.Publish(*catalog, 7);
  world.Publish(*catalog, 8);
  const std::vector<std::string> expected = {"00000007-0000000001", "00000008-0000000001",
                                             "00000008-0000000002", "00000009-0000000001"};
  CHECK(World::Names(*catalog) == expected);
  CHECK(ToString(catalog->Newest()->id) == "00000009-0000000001");
  CHECK(catalog->HighestIncarnation() == 9);
  catalog.reset();
  CHECK(World::Names(*world.Open()) == expected);
}

TEST_CASE("what a checkpoint's header says is in the list") {
  World world;
  world.engine.Do(Put("k", "v"));
  auto catalog = world.Open();
  const CheckpointInfo published = world.Publish(*catalog);
  catalog.reset();
  catalog = world.Open();
  const CheckpointInfo info = Value(catalog->Get(kFirst));
  CHECK(info.health == Health::kIntact);
  CHECK(info.header.entries == 1);
  CHECK(info.header.root == published.header.root);
  CHECK(info.file_bytes == testing::Load(world.files, info.path).size());
  CHECK(info.path == "c/00000007-0000000001.ckpt");
  CHECK_FALSE(info.pin);
}

TEST_CASE("publishing syncs the file before it is renamed, and the directory after") {
  World world;
  const auto catalog = world.Open();
  const size_t before = world.files.operations();
  world.Publish(*catalog);
  std::vector<std::string> trace = world.files.trace();
  trace.erase(trace.begin(), trace.begin() + static_cast<int64_t>(before));
  std::erase_if(trace, [](const std::string& line) {
    return absl::StartsWith(line, "append") || absl::StartsWith(line, "write") ||
           absl::StartsWith(line, "read") || absl::StartsWith(line, "size") ||
           absl::StartsWith(line, "open");
  });
  const std::string name = "c/00000007-0000000001.ckpt";
  CHECK(trace == std::vector<std::string>{"create " + name + ".tmp", "sync " + name + ".tmp",
                                          "close " + name + ".tmp",
                                          "rename " + name + ".tmp " + name, "syncdir c"});
}

TEST_CASE("a draft that is not published leaves nothing, and its number is not given again") {
  World world;
  const auto catalog = world.Open();
  {
    Catalog::Draft draft = catalog->NewDraft(7);
    testing::Write(*world.engine, world.files, draft.path(), {.threads = 1}, draft.id().number);
    CHECK(world.Exists("00000007-0000000001.ckpt.tmp"));
  }
  CHECK_FALSE(world.Exists("00000007-0000000001.ckpt.tmp"));
  CHECK(ToString(world.Publish(*catalog).id) == "00000007-0000000002");
}

TEST_CASE("a draft whose file is not what it should be is not published") {
  World world;
  const auto catalog = world.Open();
  Catalog::Draft draft = catalog->NewDraft(7);
  SECTION("no file") { CHECK(Brief(std::move(draft).Publish()) == "NOT_FOUND"); }
  SECTION("garbage") {
    testing::Store(world.files, draft.path(), "garbage");
    CHECK(Brief(std::move(draft).Publish()) == "DATA_LOSS DATA_LOSS");
  }
  SECTION("another number") {
    testing::Write(*world.engine, world.files, draft.path(), {.threads = 1}, {7, 9});
    CHECK(Brief(std::move(draft).Publish()) == "DATA_LOSS DATA_LOSS");
  }
  SECTION("another store") {
    testing::Write(*world.engine, world.files, draft.path(), {.threads = 1}, {7, 1}, kStoreB);
    CHECK(Brief(std::move(draft).Publish()) == "FAILED_PRECONDITION OTHER_STORE");
  }
  CHECK(catalog->List().empty());
}

TEST_CASE("sequence numbers are never given twice, also not after deletions and quarantine") {
  World world;
  auto catalog = world.Open();
  for (int i = 0; i < 4; ++i) world.Publish(*catalog);
  REQUIRE(catalog->Quarantine({"", {7, 4}}, absl::DataLossError("x")).ok());
  REQUIRE(catalog->Delete({"", {7, 3}}).ok());
  CHECK(catalog->NewDraft(7).id().number.sequence == 5);
  catalog.reset();
  catalog = world.Open();
  // The quarantined file still tells.
  CHECK(catalog->NewDraft(7).id().number.sequence == 5);
  CHECK(catalog->NewDraft(8).id().number.sequence == 1);
}

TEST_CASE("what was never published is swept at the start, and only that") {
  World world;
  world.Publish(*world.Open());
  for (const char* name : {"00000007-0000000002.ckpt.tmp", "00000007-0000000001.pin.tmp",
                           "store.tmp", "notes.tmp", "notes.txt", "00000009-0000000001.pin"}) {
    testing::Store(world.files, absl::StrCat("c/", name), "x");
  }
  const auto catalog = world.Open();
  CHECK(Value(world.files.List("c")) ==
        std::vector<std::string>{"00000007-0000000001.ckpt", "notes.tmp", "notes.txt", "store"});
  CHECK(World::Names(*catalog).size() == 1);
}

TEST_CASE("what failed attempts left is swept later, and drafts that are in use stay") {
  World world;
  const auto catalog = world.Open();
  Catalog::Draft draft = catalog->NewDraft(7);
  testing::Store(world.files, draft.path(), "under way");
  testing::Store(world.files, "c/00000006-0000000009.ckpt.tmp", "left");
  REQUIRE(catalog->Sweep().ok());
  CHECK(world.Exists("00000007-0000000001.ckpt.tmp"));
  CHECK_FALSE(world.Exists("00000006-0000000009.ckpt.tmp"));
}

TEST_CASE("a bad checkpoint is listed as what it is, and hides no other") {
  World world;
  auto catalog = world.Open();
  for (int i = 0; i < 5; ++i) world.Publish(*catalog);
  catalog.reset();
  world.Damage("00000007-0000000002.ckpt");
  testing::Store(world.files, "c/00000007-0000000003.ckpt", "not a checkpoint");
  // An older one in the place of a newer one.
  testing::Store(world.files, "c/00000007-0000000005.ckpt",
                 testing::Load(world.files, "c/00000007-0000000001.ckpt"));
  testing::Write(*world.engine, world.files, "c/00000007-0000000006.ckpt", {.threads = 1}, {7, 6},
                 kStoreB);
  std::string newer(testing::Load(world.files, "c/00000007-0000000001.ckpt"));
  newer[11] = 2;
  newer[40] = 7;
  testing::Store(world.files, "c/00000007-0000000007.ckpt", newer);

  catalog = world.Open();
  std::vector<Health> health;
  for (const CheckpointInfo& info : catalog->List()) health.push_back(info.health);
  CHECK(health == std::vector<Health>{Health::kIntact, Health::kDamaged, Health::kDamaged,
                                      Health::kIntact, Health::kDamaged, Health::kOtherStore,
                                      Health::kNewerFormat});
  CHECK(ToString(catalog->Newest()->id) == "00000007-0000000004");
  const auto problem = [&](uint64_t sequence) {
    return Value(catalog->Get({"", {7, sequence}})).problem;
  };
  CHECK(Says(problem(2), "c/00000007-0000000002.ckpt is damaged at byte 0: the root"));
  CHECK(problem(5).message() ==
        "c/00000007-0000000005.ckpt is damaged at byte 0: it holds checkpoint 00000007-0000000001");
  CHECK(problem(6).message() == "c/00000007-0000000006.ckpt is a checkpoint of store " + kStoreB +
                                    ", not of store " + kStoreA);
  CHECK(Says(problem(7), "format version 2"));
  CHECK(Value(catalog->Get({"", {7, 3}})).file_bytes == 16);
}

TEST_CASE("a checkpoint that cannot be read now is listed, and is no damage") {
  World world;
  auto catalog = world.Open();
  world.Publish(*catalog);
  catalog.reset();
  uint64_t unreadable = 0;
  for (uint64_t operation = 0; operation < 40; ++operation) {
    world.files.FailAt(world.files.operations() + operation, FaultKind::kIoError,
                       FaultDuration::kOnce);
    const auto opened = world.TryOpen();
    world.files.Heal();
    if (!opened.ok()) continue;
    for (const CheckpointInfo& info : (*opened)->List()) {
      CHECK(info.health != Health::kDamaged);
      if (info.health == Health::kUnreadable) ++unreadable;
    }
  }
  CHECK(unreadable >= 3);
}

TEST_CASE("a pin has a reason, outlives the process, and can be changed and taken away") {
  World world;
  auto catalog = world.Open();
  world.Publish(*catalog);
  world.clock.Advance(5);
  REQUIRE(catalog->SetPin(kFirst, "first").ok());
  REQUIRE(catalog->SetPin(kFirst, "second").ok());
  catalog.reset();
  catalog = world.Open();
  REQUIRE(Value(catalog->Get(kFirst)).pin);
  CHECK(Value(catalog->Get(kFirst)).pin->reason == "second");
  CHECK(Value(catalog->Get(kFirst)).pin->time == kStart + 5);
  REQUIRE(catalog->ClearPin(kFirst).ok());
  CHECK_FALSE(Value(catalog->Get(kFirst)).pin);
  REQUIRE(catalog->ClearPin(kFirst).ok());
  catalog.reset();
  CHECK_FALSE(Value(world.Open()->Get(kFirst)).pin);
}

TEST_CASE("a pin's reason is one line of bounded length") {
  World world;
  const auto catalog = world.Open();
  world.Publish(*catalog);
  for (const std::string& reason :
       {std::string(), std::string("a\nb"), std::string("\x7f"), std::string(257, 'x')}) {
    CHECK(Brief(catalog->SetPin(kFirst, reason)) == "INVALID_ARGUMENT INVALID_PIN");
  }
  CHECK(Brief(catalog->SetPin(kFirst, std::string(256, 'x'))) == "OK");
  CHECK(Brief(catalog->SetPin({"", {9, 9}}, "x")) == "NOT_FOUND CHECKPOINT_NOT_FOUND");
  CHECK(Brief(catalog->ClearPin({"", {9, 9}})) == "NOT_FOUND CHECKPOINT_NOT_FOUND");
}

TEST_CASE("a pin that cannot be read holds all the same") {
  World world;
  auto catalog = world.Open();
  world.Publish(*catalog);
  world.Publish(*catalog);
  catalog.reset();
  const std::string content =
      GENERATE("garbage", "tarn-pin 2\nx\n", "tarn-pin 1\nreason x\ntime soon\nchecksum ?\n");
  testing::Store(world.files, "c/00000007-0000000001.pin", content);
  catalog = world.Open();
  const CheckpointInfo info = Value(catalog->Get(kFirst));
  REQUIRE(info.pin);
  CHECK(absl::StartsWith(info.pin->reason, "its pin cannot be read"));
  CHECK(Brief(catalog->Delete(kFirst)) == "FAILED_PRECONDITION CHECKPOINT_PINNED");
}

TEST_CASE("a pin with a time that is no number is damaged") {
  World world;
  auto catalog = world.Open();
  world.Publish(*catalog);
  catalog.reset();
  testing::Store(world.files, "c/00000007-0000000001.pin",
                 storage::EncodeTextRecord("pin", {{"reason", "x"}, {"time", "soon"}}));
  CHECK(Says(absl::InternalError(Value(world.Open()->Get(kFirst)).pin->reason),
             "its time is not a number"));
}

TEST_CASE("a checkpoint is deleted, unless it is pinned or the last valid one") {
  World world;
  auto catalog = world.Open();
  for (int i = 0; i < 3; ++i) world.Publish(*catalog);
  REQUIRE(catalog->SetPin({"", {7, 2}}, "mine").ok());
  CHECK(catalog->Delete({"", {7, 2}}).message() ==
        "checkpoint 00000007-0000000002 is pinned: mine");
  CHECK(Brief(catalog->Delete({"", {7, 3}})) == "OK");
  CHECK(Brief(catalog->Delete({"", {7, 3}})) == "NOT_FOUND CHECKPOINT_NOT_FOUND");
  CHECK(Brief(catalog->Delete(kFirst)) == "OK");
  REQUIRE(catalog->ClearPin({"", {7, 2}}).ok());
  CHECK(catalog->Delete({"", {7, 2}}).message() ==
        "checkpoint 00000007-0000000002 is the last valid one");
  catalog.reset();
  CHECK(World::Names(*world.Open()) == std::vector<std::string>{"00000007-0000000002"});
}

TEST_CASE("a damaged one may be deleted, also when it is the only one") {
  World world;
  world.Publish(*world.Open());
  world.Damage("00000007-0000000001.ckpt");
  CHECK(Brief(world.Open()->Delete(kFirst)) == "OK");
}

TEST_CASE(
    "a quarantined checkpoint is out of the list, and stays on the disk until it is deleted") {
  World world;
  auto catalog = world.Open();
  for (int i = 0; i < 2; ++i) world.Publish(*catalog);
  REQUIRE(catalog->Quarantine(kFirst, absl::DataLossError("a block is bad")).ok());
  CHECK(World::Names(*catalog) == std::vector<std::string>{"00000007-0000000002"});
  CHECK(catalog->Quarantined() == std::vector<CheckpointId>{kFirst});
  CHECK(Brief(catalog->Quarantine(kFirst, absl::DataLossError("again"))) ==
        "NOT_FOUND CHECKPOINT_NOT_FOUND");
  catalog.reset();
  catalog = world.Open();
  CHECK(catalog->Quarantined() == std::vector<CheckpointId>{kFirst});
  CHECK(world.Exists("00000007-0000000001.ckpt.corrupt"));
  REQUIRE(catalog->Delete(kFirst).ok());
  CHECK_FALSE(world.Exists("00000007-0000000001.ckpt.corrupt"));
  CHECK(catalog->Quarantined().empty());
  CHECK(Brief(catalog->Delete(kFirst)) == "NOT_FOUND CHECKPOINT_NOT_FOUND");
}

TEST_CASE("a checkpoint that somebody removed or spoiled is noticed when it is looked at again") {
  World world;
  auto catalog = world.Open();
  for (int i = 0; i < 3; ++i) world.Publish(*catalog);
  REQUIRE(world.files.Remove("c/00000007-0000000003.ckpt").ok());
  world.Damage("00000007-0000000002.ckpt");
  CHECK(Brief(catalog->Refresh({"", {7, 3}})) == "NOT_FOUND CHECKPOINT_NOT_FOUND");
  CHECK(Brief(catalog->Get({"", {7, 3}})) == "NOT_FOUND CHECKPOINT_NOT_FOUND");
  CHECK(Value(catalog->Refresh({"", {7, 2}})).health == Health::kDamaged);
  CHECK(Value(catalog->Refresh(kFirst)).health == Health::kIntact);
  CHECK(catalog->Newest()->id == kFirst);
}

TEST_CASE("a directory that cannot be synced after a rename fails the checkpoint") {
  World world;
  const auto catalog = world.Open();
  world.Publish(*catalog);
  Catalog::Draft draft = catalog->NewDraft(7);
  testing::Write(*world.engine, world.files, draft.path(), {.threads = 1}, draft.id().number);
  // Open, size, header, index, rename, sync.
  world.files.FailAt(world.files.operations() + 5, FaultKind::kIoError, FaultDuration::kOnce);
  CHECK(Brief(std::move(draft).Publish()) == "INTERNAL");
  CHECK(world.files.trace().at(world.files.operations() - 2) == "syncdir c !");
  CHECK(World::Names(*catalog) == std::vector<std::string>{"00000007-0000000001"});
  CHECK_FALSE(world.Exists("00000007-0000000002.ckpt"));
}

}  // namespace
}  // namespace tarn::checkpoint
