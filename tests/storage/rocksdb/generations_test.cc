// Which database is in use, whatever happens in between.
#include "storage/rocksdb/generations.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/catch.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/status.h"

namespace tarn::storage::rocks {
namespace {

using testing::Brief;
using testing::FaultDuration;
using testing::FaultFileSystem;
using testing::FaultKind;
using testing::Unsynced;
using testing::Value;

using State = Pointer::State;

TEST_CASE("The pointer is one line of text") {
  CHECK(EncodePointer({State::kReady, "db-3"}) == "tarn-rocksdb 1 ready db-3\n");
  CHECK(EncodePointer({State::kCreating, "db-1"}) == "tarn-rocksdb 1 creating db-1\n");
}

TEST_CASE("A pointer is decoded as it was encoded") {
  for (const State state : {State::kReady, State::kCreating}) {
    const auto pointer = DecodePointer(EncodePointer({state, "db-12"}));
    REQUIRE(pointer);
    CHECK(pointer->state == state);
    CHECK(pointer->name == "db-12");
  }
}

TEST_CASE("What is not exactly a pointer is none") {
  for (const char* content :
       {"", "\n", "tarn-rocksdb", "tarn-rocksdb 1 ready db-3", "tarn-rocksdb 1 ready\n",
        "tarn-rocksdb 1 ready db-3 \n", "tarn-rocksdb 1 done db-3\n", "tarn-rocksdb 1 ready db-\n",
        "tarn-rocksdb 1 ready ../db-3\n", "tarn-memory 1 ready db-3\n",
        "tarn-rocksdb 2 ready db-3\n", "tarn-rocksdb x ready db-3\n"}) {
    INFO(content);
    CHECK_FALSE(DecodePointer(content));
  }
}

TEST_CASE("The format of a pointer is known even when the rest is not") {
  CHECK(FormatOfPointer("tarn-rocksdb 2 what ever comes\n") == 2);
  CHECK_FALSE(FormatOfPointer("tarn-rocksdb two\n"));
  CHECK_FALSE(FormatOfPointer("something else\n"));
}

void MakeDatabase(FaultFileSystem& files, const std::string& path) {
  REQUIRE(files.CreateDirectories(path).ok());
  REQUIRE(base::ReplaceFile(files, path + "/CURRENT", path).ok());
}

// The first start, to its end.
std::unique_ptr<Generations> Create(FaultFileSystem& files) {
  auto generations = Value(Generations::Open(files, "store"));
  REQUIRE(generations->creating());
  MakeDatabase(files, generations->current_path());
  REQUIRE(generations->FinishCreation().ok());
  return generations;
}

TEST_CASE("A new directory begins with one database, which is found again") {
  FaultFileSystem files;
  CHECK(Create(files)->current_path() == "store/db-1");
  const auto again = Value(Generations::Open(files, "store"));
  CHECK_FALSE(again->creating());
  CHECK(again->current_path() == "store/db-1");
}

TEST_CASE("A first start that did not come to its end is made again from the beginning") {
  FaultFileSystem files;
  MakeDatabase(files, Value(Generations::Open(files, "store"))->current_path());
  const auto again = Value(Generations::Open(files, "store"));
  CHECK(again->creating());
  CHECK_FALSE(Value(files.Exists("store/db-1/CURRENT")));
}

TEST_CASE("A directory with a database and no pointer is refused, and kept") {
  FaultFileSystem files;
  Create(files);
  REQUIRE(files.Remove("store/CURRENT_DB").ok());
  const auto opened = Generations::Open(files, "store");
  CHECK(Brief(opened) == "DATA_LOSS DATA_LOSS");
  CHECK(absl::StrContains(opened.status().message(), "db-1"));
  CHECK(Value(files.Exists("store/db-1/CURRENT")));
}

TEST_CASE("A pointer that is damaged, or to a database that is gone, is refused and named") {
  FaultFileSystem files;
  Create(files);
  REQUIRE(files.RemoveRecursively("store/db-1").ok());
  auto opened = Generations::Open(files, "store");
  CHECK(Brief(opened) == "DATA_LOSS DATA_LOSS");
  CHECK(absl::StrContains(opened.status().message(), "store/db-1 is missing"));
  REQUIRE(base::ReplaceFile(files, "store/CURRENT_DB", "tarn-rocksdb 1 r").ok());
  opened = Generations::Open(files, "store");
  CHECK(Brief(opened) == "DATA_LOSS DATA_LOSS");
  CHECK(absl::StrContains(opened.status().message(), "store/CURRENT_DB is damaged"));
}

TEST_CASE("A directory of a newer format is refused by its number") {
  FaultFileSystem files;
  Create(files);
  REQUIRE(base::ReplaceFile(files, "store/CURRENT_DB", "tarn-rocksdb 7 new words\n").ok());
  const auto opened = Generations::Open(files, "store");
  CHECK(Brief(opened) == "FAILED_PRECONDITION");
  CHECK(absl::StrContains(opened.status().message(), "format 7"));
}

TEST_CASE("Left-overs are removed at start, the database in use and foreign names stay") {
  FaultFileSystem files;
  Create(files);
  for (const char* path : {"store/db-2", "store/db-17", "store/notes", "store/db-x"}) {
    MakeDatabase(files, path);
  }
  const auto again = Value(Generations::Open(files, "store"));
  CHECK_FALSE(Value(files.Exists("store/db-2")));
  CHECK_FALSE(Value(files.Exists("store/db-17")));
  for (const char* path : {"store/db-1", "store/notes", "store/db-x"}) {
    CHECK(Value(files.Exists(path)));
  }
  CHECK(again->NewPath() == "store/db-18");
}

TEST_CASE("No two databases get the same path") {
  FaultFileSystem files;
  const auto generations = Create(files);
  CHECK(generations->NewPath() == "store/db-2");
  CHECK(generations->NewPath() == "store/db-3");
}

TEST_CASE("After a switch the new database is in use, and the old one a left-over") {
  FaultFileSystem files;
  const auto generations = Create(files);
  const std::string path = generations->NewPath();
  MakeDatabase(files, path);
  REQUIRE(generations->SwitchTo(path).ok());
  CHECK(generations->current_path() == path);
  CHECK(Value(Generations::Open(files, "store"))->current_path() == path);
  CHECK_FALSE(Value(files.Exists("store/db-1")));
}

TEST_CASE("A switch that loses power at any step leaves the old database or the new one") {
  for (uint64_t step = 0;; ++step) {
    FaultFileSystem files;
    const auto generations = Create(files);
    const std::string path = generations->NewPath();
    MakeDatabase(files, path);
    const uint64_t before = files.operations();
    files.FailAt(before + step, FaultKind::kIoError, FaultDuration::kSticky);
    const absl::Status status = generations->SwitchTo(path);
    const bool reached = files.operations() > before + step;
    files.Heal();
    files.Crash(Unsynced::kTorn, GENERATE(Unsynced::kLost, Unsynced::kKept));
    const std::string found = Value(Generations::Open(files, "store"))->current_path();
    if (!reached) {
      CHECK(status.ok());
      CHECK(found == path);
      break;
    }
    CHECK_FALSE(status.ok());
    // It must say so when it does not know.
    if (status.code() != absl::StatusCode::kDataLoss) CHECK(found == "store/db-1");
    CHECK((found == "store/db-1" || found == path));
  }
}

TEST_CASE("A switch that fails once leaves the old database in use, now and after a crash") {
  for (uint64_t step = 0;; ++step) {
    FaultFileSystem files;
    const auto generations = Create(files);
    const std::string path = generations->NewPath();
    MakeDatabase(files, path);
    files.FailAt(files.operations() + step, FaultKind::kDiskFull, FaultDuration::kOnce);
    const absl::Status status = generations->SwitchTo(path);
    if (status.ok()) break;
    CHECK(status.code() != absl::StatusCode::kDataLoss);
    CHECK(generations->current_path() == "store/db-1");
    files.Heal();
    files.Crash(Unsynced::kLost, Unsynced::kKept);
    CHECK(Value(Generations::Open(files, "store"))->current_path() == "store/db-1");
  }
}

TEST_CASE("An error of the disk is no reason to begin anew") {
  FaultFileSystem files;
  Create(files);
  for (uint64_t step = 0; step < 6; ++step) {
    files.FailAt(files.operations() + step, FaultKind::kIoError, FaultDuration::kOnce);
    const auto opened = Generations::Open(files, "store");
    if (opened.ok()) break;
    CHECK(opened.status().code() == absl::StatusCode::kInternal);
    files.Heal();
    CHECK(Value(files.Exists("store/db-1/CURRENT")));
  }
}

}  // namespace
}  // namespace tarn::storage::rocks
