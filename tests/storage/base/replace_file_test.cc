#include <optional>
#include <string>
#include <vector>

#include "storage/base/file_system.h"
#include "tests/catch.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/status.h"

namespace tarn::base {
namespace {

using testing::Brief;
using testing::FaultDuration;
using testing::FaultFileSystem;
using testing::FaultKind;
using testing::Unsynced;
using testing::Value;

constexpr uint64_t kMaxOperations = 100;

// What reading finds: "none" when there is no file.
std::string Content(FaultFileSystem& files) {
  const auto content = ReadFile(files, "dir/file");
  return content.ok()                         ? *content
         : absl::IsNotFound(content.status()) ? "none"
                                              : content.status().ToString();
}

// A file with content "old", durably.
void Prepare(FaultFileSystem& files) {
  REQUIRE(files.CreateDirectories("dir").ok());
  REQUIRE(ReplaceFile(files, "dir/file", "old").ok());
}

TEST_CASE("replacing a file is: temporary name, sync, rename, sync of the directory") {
  FaultFileSystem files;
  Prepare(files);
  const size_t before = files.operations();
  REQUIRE(ReplaceFile(files, "dir/file", "new content").ok());
  std::vector<std::string> trace = files.trace();
  trace.erase(trace.begin(), trace.begin() + static_cast<std::ptrdiff_t>(before));
  CHECK(trace == std::vector<std::string>{"create dir/file.tmp", "append dir/file.tmp 11",
                                          "sync dir/file.tmp", "close dir/file.tmp",
                                          "rename dir/file.tmp dir/file", "syncdir dir"});
  CHECK(Content(files) == "new content");
}

TEST_CASE("a crash at any operation leaves the old or the new content, never neither") {
  const auto bytes = GENERATE(Unsynced::kLost, Unsynced::kKept, Unsynced::kTorn);
  const auto names = GENERATE(Unsynced::kLost, Unsynced::kKept);
  uint64_t operation = 0;
  for (; operation < kMaxOperations; ++operation) {
    FaultFileSystem files;
    Prepare(files);
    files.FailAt(files.operations() + operation, FaultKind::kIoError, FaultDuration::kSticky);
    const absl::Status status = ReplaceFile(files, "dir/file", "new");
    files.Heal();
    files.Crash(bytes, names);
    CAPTURE(operation, status);
    if (status.ok()) {
      CHECK(Content(files) == "new");
      break;
    }
    const std::string content = Content(files);
    CHECK((content == "old" || content == "new"));
    REQUIRE(ReplaceFile(files, "dir/file", "newer").ok());
    CHECK(Content(files) == "newer");
  }
  CHECK(operation == 6);
}

TEST_CASE("a first write that a crash cuts short leaves no file or the whole one") {
  const auto bytes = GENERATE(Unsynced::kLost, Unsynced::kKept, Unsynced::kTorn);
  const auto names = GENERATE(Unsynced::kLost, Unsynced::kKept);
  for (uint64_t operation = 0; operation < 6; ++operation) {
    FaultFileSystem files;
    REQUIRE(files.CreateDirectories("dir").ok());
    files.FailAt(files.operations() + operation, FaultKind::kIoError, FaultDuration::kSticky);
    CHECK_FALSE(ReplaceFile(files, "dir/file", "new").ok());
    files.Heal();
    files.Crash(bytes, names);
    const std::string content = Content(files);
    CAPTURE(operation, content);
    CHECK((content == "none" || content == "new"));
  }
}

TEST_CASE("a failure that passes is reported, keeps the old content and cleans up") {
  const auto kind = GENERATE(FaultKind::kDiskFull, FaultKind::kIoError, FaultKind::kReadOnly);
  for (uint64_t operation = 0; operation < 5; ++operation) {
    FaultFileSystem files;
    Prepare(files);
    files.FailAt(files.operations() + operation, kind, FaultDuration::kOnce);
    CAPTURE(operation);
    CHECK(Brief(ReplaceFile(files, "dir/file", "new")) ==
          (kind == FaultKind::kDiskFull ? "RESOURCE_EXHAUSTED DISK_FULL" : "INTERNAL"));
    CHECK(Content(files) == "old");
    CHECK(Value(files.List("dir")) == std::vector<std::string>{"file"});
  }
}

TEST_CASE("a file in the working directory is replaced as well") {
  FaultFileSystem files;
  REQUIRE(ReplaceFile(files, "file", "1").ok());
  REQUIRE(ReplaceFile(files, "/file", "2").ok());
  files.Crash(Unsynced::kLost, Unsynced::kLost);
  CHECK(Value(ReadFile(files, "file")) == "1");
  CHECK(Value(ReadFile(files, "/file")) == "2");
}

}  // namespace
}  // namespace tarn::base
