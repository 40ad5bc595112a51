#include "storage/store_identity.h"

#include <memory>
#include <optional>
#include <string>

#include "storage/text_record.h"
#include "tests/catch.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/status.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using testing::FaultDuration;
using testing::FaultFileSystem;
using testing::FaultKind;
using testing::Unsynced;
using testing::Value;

const std::string kStoreA(32, 'a');
const std::string kStoreB(32, 'b');

// An engine that knows nothing but its meta, which survives everything once it is written.
class MetaEngine final : public Engine {
 public:
  explicit MetaEngine(absl::string_view engine_name = "rocksdb") : name_(engine_name) {}

  absl::StatusOr<std::optional<StoreMeta>> ReadMeta() override {
    if (!failure.ok()) return failure;
    return starts_empty() ? std::nullopt : meta;
  }
  absl::Status WriteMeta(const StoreMeta& written) override {
    if (!write_failure.ok()) return write_failure;
    meta = written;
    return absl::OkStatus();
  }
  bool starts_empty() const override { return name_ == "memory"; }
  bool is_shared() const override { return name_ == "redis"; }
  absl::string_view name() const override { return name_; }

  void Run(const Batch&, Completion) override {}
  absl::StatusOr<std::unique_ptr<Snapshot>> OpenSnapshot(SnapshotPurpose) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<std::unique_ptr<BulkLoad>> BeginBulkLoad() override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<SweepResult> SweepExpired(size_t) override { return SweepResult{}; }
  EngineStats Stats() const override { return {}; }
  absl::string_view durability() const override { return ""; }

  std::optional<StoreMeta> meta;
  absl::Status failure;
  absl::Status write_failure;

 private:
  const absl::string_view name_;
};

// The kernel's would do, but a failure should be the same each time.
class Counter final : public base::RandomSource {
 public:
  uint64_t Next() override { return ++number_; }

 private:
  uint64_t number_ = 0;
};

// A daemon's start on a data directory.
struct Machine {
  FaultFileSystem files;
  Counter random;

  absl::StatusOr<StoreMeta> Start(Engine& engine) {
    auto directory = DataDirectory::Open(files, "data", "pid 1");
    if (!directory.ok()) return directory.status();
    return OpenStoreIdentity(engine, **directory, random);
  }
  void Overwrite(const std::string& name, absl::string_view content) {
    REQUIRE(base::ReplaceFile(files, "data/" + name, content).ok());
  }
  std::string Read(const std::string& name) { return Value(base::ReadFile(files, "data/" + name)); }
};

bool Says(const absl::Status& status, const std::string& part) {
  return std::string(status.message()).find(part) != std::string::npos;
}

TEST_CASE("the first start makes a store with a random id and incarnation 1") {
  Machine machine;
  MetaEngine engine;
  const StoreMeta meta = Value(machine.Start(engine));
  CHECK(meta.store_id == "01000000000000000200000000000000");
  CHECK(meta.incarnation == 1);
  CHECK(engine.meta->store_id == meta.store_id);
  CHECK(engine.meta->incarnation == 1);
}

TEST_CASE("each start takes the next incarnation of the same store") {
  const auto name = GENERATE("rocksdb", "memory");
  Machine machine;
  MetaEngine engine(name);
  const std::string id = Value(machine.Start(engine)).store_id;
  for (Incarnation incarnation = 2; incarnation < 5; ++incarnation) {
    const StoreMeta meta = Value(machine.Start(engine));
    CHECK(meta.store_id == id);
    CHECK(meta.incarnation == incarnation);
  }
}

TEST_CASE("the next incarnation is above the highest that either side knows") {
  Machine machine;
  MetaEngine engine;
  REQUIRE(machine.Start(engine).ok());
  engine.meta->incarnation = 70;
  CHECK(Value(machine.Start(engine)).incarnation == 71);
  engine.meta->incarnation = 5;
  CHECK(Value(machine.Start(engine)).incarnation == 72);
}

TEST_CASE("an initialised engine with a fresh data directory is refused, and both are named") {
  Machine machine;
  MetaEngine engine;
  engine.meta = StoreMeta{.store_id = kStoreA, .incarnation = 3};
  const auto result = machine.Start(engine);
  CHECK(Brief(result) == "FAILED_PRECONDITION");
  CHECK(Says(result.status(), "the rocksdb engine holds store " + kStoreA));
  CHECK(Says(result.status(), "the data directory data was never initialised"));
  CHECK(engine.meta->incarnation == 3);
}

TEST_CASE("a fresh data directory joins the store that a shared engine holds, and no other after") {
  Machine machine;
  MetaEngine engine("redis");
  engine.meta = StoreMeta{.store_id = kStoreA, .incarnation = 3};
  const StoreMeta meta = Value(machine.Start(engine));
  CHECK(meta.store_id == kStoreA);
  CHECK(meta.incarnation == 4);
  MetaEngine other("redis");
  other.meta = StoreMeta{.store_id = kStoreB, .incarnation = 3};
  CHECK(Brief(machine.Start(other)) == "FAILED_PRECONDITION");
  MetaEngine lost("redis");
  CHECK(Brief(machine.Start(lost)) == "FAILED_PRECONDITION");
}

TEST_CASE(
    "an initialised data directory with an empty engine is refused, unless the engine always "
    "starts empty") {
  Machine machine;
  MetaEngine engine;
  const std::string id = Value(machine.Start(engine)).store_id;
  MetaEngine lost;
  const auto result = machine.Start(lost);
  CHECK(Brief(result) == "FAILED_PRECONDITION");
  CHECK(Says(result.status(), "belongs to store " + id));
  CHECK(Says(result.status(), "the rocksdb engine was never initialised"));
  CHECK_FALSE(lost.meta);
}

TEST_CASE("two different stores are refused, and both are named") {
  Machine machine;
  MetaEngine engine;
  const std::string id = Value(machine.Start(engine)).store_id;
  engine.meta->store_id = kStoreB;
  const auto result = machine.Start(engine);
  CHECK(Brief(result) == "FAILED_PRECONDITION");
  CHECK(Says(result.status(), id));
  CHECK(Says(result.status(), kStoreB));
}

TEST_CASE("a data directory of another engine is refused, and both engines are named") {
  Machine machine;
  MetaEngine rocksdb;
  MetaEngine memory("memory");
  REQUIRE(machine.Start(rocksdb).ok());
  const auto result = machine.Start(memory);
  CHECK(Brief(result) == "FAILED_PRECONDITION");
  CHECK(result.status().message() ==
        "the data directory data was initialised by the rocksdb engine; it cannot be used with the "
        "memory engine");
}

TEST_CASE("a second daemon on a data directory is told who has it, and changes nothing") {
  Machine machine;
  const auto first = Value(DataDirectory::Open(machine.files, "data", "pid 7 at 127.0.0.1:8276"));
  const auto second = DataDirectory::Open(machine.files, "data", "pid 8");
  CHECK(Brief(second) == "FAILED_PRECONDITION");
  CHECK(Says(second.status(), "cannot use the data directory data"));
  CHECK(Says(second.status(), "pid 7 at 127.0.0.1:8276"));
  CHECK(Value(machine.files.List("data")).empty());
}

TEST_CASE("the files of a data directory have golden bytes") {
  Machine machine;
  const auto directory = Value(DataDirectory::Open(machine.files, "data", "pid 1"));
  REQUIRE(directory->WriteMeta({.store_id = kStoreA, .incarnation = 12}, "memory").ok());
  REQUIRE(directory->WriteClock(1700000000000).ok());
  CHECK(machine.Read("store") ==
        "tarn-store 1\nid " + kStoreA + "\nengine memory\nchecksum 97d7f1d2ea2a146f\n");
  CHECK(machine.Read("incarnation") ==
        "tarn-incarnation 1\nincarnation 12\nchecksum 021e62a37fec414d\n");
  CHECK(machine.Read("clock") ==
        "tarn-clock 1\nunix_ms 1700000000000\nchecksum c2d4969995c0a7d5\n");
}

TEST_CASE("the clock that was persisted is read back; before the first time it is 0") {
  Machine machine;
  const auto directory = Value(DataDirectory::Open(machine.files, "data", "pid 1"));
  CHECK(Value(directory->ReadClock()) == 0);
  REQUIRE(directory->WriteClock(1234).ok());
  CHECK(Value(directory->ReadClock()) == 1234);
}

TEST_CASE("a damaged file is DATA_LOSS, names itself, and is left as it is") {
  const auto name = GENERATE("store", "incarnation");
  const auto content = GENERATE("", "garbage", "tarn-store 1\n",
                                "tarn-incarnation 1\nincarnation -3\nchecksum 8eba9f2d1e4b8f42\n");
  Machine machine;
  MetaEngine engine;
  REQUIRE(machine.Start(engine).ok());
  machine.Overwrite(name, content);
  const auto result = machine.Start(engine);
  CHECK(Brief(result) == "DATA_LOSS DATA_LOSS");
  CHECK(Says(result.status(), "data/" + std::string(name) + " is damaged"));
  CHECK(machine.Read(name) == content);
  CHECK(engine.meta->incarnation == 1);
}

TEST_CASE("a file far too large is damage, and is not read") {
  Machine machine;
  MetaEngine engine;
  REQUIRE(machine.Start(engine).ok());
  machine.Overwrite("store", std::string(2 << 20, 'x'));
  CHECK(Brief(machine.Start(engine)) == "DATA_LOSS DATA_LOSS");
}

TEST_CASE("a number that is none is damage, even with the right checksum") {
  Machine machine;
  const auto directory = Value(DataDirectory::Open(machine.files, "data", "pid 1"));
  for (const char* number : {"-5", "", "9223372036854775808", "12x"}) {
    machine.Overwrite("clock", EncodeTextRecord("clock", {{"unix_ms", number}}));
    CHECK(Brief(directory->ReadClock()) == "DATA_LOSS DATA_LOSS");
  }
}

TEST_CASE("a file that went missing is noticed") {
  const auto name = GENERATE("store", "incarnation");
  Machine machine;
  MetaEngine engine("memory");
  REQUIRE(machine.Start(engine).ok());
  REQUIRE(machine.files.Remove(std::string("data/") + name).ok());
  const auto result = machine.Start(engine);
  CHECK(Brief(result) == "DATA_LOSS DATA_LOSS");
  CHECK(Says(result.status(), std::string("data/") + name));
}

TEST_CASE("a file of a later version is refused with its number") {
  Machine machine;
  MetaEngine engine;
  REQUIRE(machine.Start(engine).ok());
  machine.Overwrite("store", "tarn-store 2\nwhatever\n");
  const auto result = machine.Start(engine);
  CHECK(Brief(result) == "FAILED_PRECONDITION");
  CHECK(Says(result.status(), "data/store: it has format version 2"));
}

TEST_CASE("an engine that cannot be read or written stops the start") {
  Machine machine;
  MetaEngine engine;
  engine.failure = absl::InternalError("no");
  CHECK(machine.Start(engine).status() == engine.failure);
  engine.failure = absl::OkStatus();
  engine.write_failure = absl::ResourceExhaustedError("full");
  CHECK(machine.Start(engine).status() == engine.write_failure);
}

TEST_CASE("a store without incarnations left does not start") {
  Machine machine;
  MetaEngine engine;
  REQUIRE(machine.Start(engine).ok());
  engine.meta->incarnation = kMaxIncarnation;
  const auto result = machine.Start(engine);
  CHECK(Brief(result) == "FAILED_PRECONDITION");
  CHECK(Says(result.status(), "incarnations"));
}

TEST_CASE(
    "a crash at any operation of a start never splits a store, nor gives an incarnation twice") {
  const auto names = GENERATE(Unsynced::kLost, Unsynced::kKept);
  const auto bytes = GENERATE(Unsynced::kLost, Unsynced::kTorn);
  const auto name = GENERATE("rocksdb", "memory");
  const int starts_before = GENERATE(0, 1);
  for (uint64_t operation = 0;; ++operation) {
    Machine machine;
    MetaEngine engine(name);
    for (int i = 0; i < starts_before; ++i) REQUIRE(machine.Start(engine).ok());
    const uint64_t before = machine.files.operations();
    machine.files.FailAt(before + operation, FaultKind::kIoError, FaultDuration::kSticky);
    const auto cut_short = machine.Start(engine);
    const Incarnation used = cut_short.ok() ? cut_short->incarnation : 0;
    machine.files.Heal();
    machine.files.Crash(bytes, names);
    CAPTURE(operation, name, starts_before);
    const auto again = machine.Start(engine);
    REQUIRE(Brief(again) == "OK");
    CHECK(again->incarnation > used);
    CHECK(again->incarnation > static_cast<Incarnation>(starts_before));
    CHECK(Value(machine.Start(engine)).store_id == again->store_id);
    if (cut_short.ok()) break;
    REQUIRE(operation < 100);
  }
}

TEST_CASE("a crash of the engine in the first start is repaired by the next") {
  Machine machine;
  MetaEngine engine;
  engine.write_failure = absl::InternalError("crashed");
  REQUIRE_FALSE(machine.Start(engine).ok());
  engine.write_failure = absl::OkStatus();
  CHECK(Brief(machine.Start(engine)) == "OK");
}

TEST_CASE("the next incarnation is reserved once half of the counter is used up, and only then") {
  constexpr Revision kHalf = uint64_t{1} << (kCounterBits - 1);
  Machine machine;
  MetaEngine engine;
  const auto directory = Value(DataDirectory::Open(machine.files, "data", "pid 1"));
  REQUIRE(OpenStoreIdentity(engine, *directory, machine.random).ok());
  REQUIRE(KeepIncarnationReserved(engine, *directory, FirstRevision(1) + kHalf - 1).ok());
  CHECK(engine.meta->incarnation == 1);
  REQUIRE(KeepIncarnationReserved(engine, *directory, FirstRevision(1) + kHalf).ok());
  CHECK(engine.meta->incarnation == 2);
  CHECK(Value(directory->ReadMeta())->incarnation == 2);

  const uint64_t operations = machine.files.operations();
  REQUIRE(KeepIncarnationReserved(engine, *directory, FirstRevision(1) + kHalf + 1).ok());
  CHECK(machine.files.operations() < operations + 10);
  CHECK(engine.meta->incarnation == 2);
  // The counter has carried over; the incarnation behind that one is next.
  REQUIRE(KeepIncarnationReserved(engine, *directory, FirstRevision(2) + kHalf).ok());
  CHECK(engine.meta->incarnation == 3);
  CHECK(OpenStoreIdentity(engine, *directory, machine.random)->incarnation == 4);
}

TEST_CASE("reserving says when it fails") {
  Machine machine;
  MetaEngine engine;
  const auto directory = Value(DataDirectory::Open(machine.files, "data", "pid 1"));
  const Revision late = FirstRevision(2) - 1;
  CHECK(Brief(KeepIncarnationReserved(engine, *directory, late)) == "FAILED_PRECONDITION");
  REQUIRE(OpenStoreIdentity(engine, *directory, machine.random).ok());
  engine.write_failure = absl::ResourceExhaustedError("full");
  CHECK(KeepIncarnationReserved(engine, *directory, late) == engine.write_failure);
  CHECK(Brief(ReserveNextIncarnation(engine, *directory, {kStoreA, kMaxIncarnation})) ==
        "FAILED_PRECONDITION");
}

TEST_CASE("a store that only a third place knows goes on in a fresh directory") {
  Machine machine;
  MetaEngine engine;
  const auto directory = Value(DataDirectory::Open(machine.files, "data", "pid 1"));
  const StoreMeta meta =
      Value(AgreeOnStore(engine, *directory, machine.random,
                         {.place = "the catalog", .store_id = kStoreB, .highest = 9}));
  CHECK(meta.store_id == kStoreB);
  CHECK(meta.incarnation == 9);
  // Nothing has begun: the directory names the store, and the engine knows nothing yet.
  CHECK(Value(directory->ReadMeta())->incarnation == 0);
  CHECK_FALSE(engine.meta);
  REQUIRE(StartIncarnation(engine, *directory, {kStoreB, 10}).ok());
  CHECK(engine.meta->incarnation == 10);
  CHECK(Value(directory->ReadMeta())->incarnation == 10);
}

TEST_CASE("a third place of another store is refused, and both are named") {
  Machine machine;
  MetaEngine engine;
  const StoreMeta mine = Value(machine.Start(engine));
  const auto directory = Value(DataDirectory::Open(machine.files, "data", "pid 1"));
  const auto refused = AgreeOnStore(engine, *directory, machine.random,
                                    {.place = "the catalog", .store_id = kStoreB});
  CHECK(Brief(refused) == "FAILED_PRECONDITION");
  CHECK(Says(refused.status(), mine.store_id));
  CHECK(Says(refused.status(), "the catalog belongs to store " + kStoreB));
}

TEST_CASE("the directory remembers where its checkpoints are and how an incarnation began") {
  Machine machine;
  const auto directory = Value(DataDirectory::Open(machine.files, "data", "pid 1"));
  CHECK_FALSE(Value(directory->ReadCatalogPath()));
  CHECK_FALSE(Value(directory->ReadBeginning()));
  REQUIRE(directory->WriteCatalogPath("/c").ok());
  REQUIRE(directory->WriteBeginning({.incarnation = 3, .newest = FirstRevision(2) + 7}).ok());
  CHECK(Value(directory->ReadCatalogPath()) == "/c");
  CHECK(Value(directory->ReadBeginning())->incarnation == 3);
  CHECK(Value(directory->ReadBeginning())->newest == FirstRevision(2) + 7);
  machine.Overwrite("beginning",
                    EncodeTextRecord("beginning", {{"incarnation", "x"}, {"newest", "1"}}));
  CHECK(Brief(directory->ReadBeginning()) == "DATA_LOSS DATA_LOSS");
  machine.Overwrite("catalog", "rubbish");
  CHECK(Brief(directory->ReadCatalogPath()) == "DATA_LOSS DATA_LOSS");
}

}  // namespace
}  // namespace tarn::storage
