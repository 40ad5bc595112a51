// One suite over the operating system's file system and over the one that stands in for it in other
// tests.
#include "storage/base/file_system.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/status.h"
#include "tests/support/temp_dir.h"

namespace tarn::base {
namespace {

using testing::Brief;
using testing::Value;

using Strings = std::vector<std::string>;

// A file system and a directory in it.
struct Subject {
  virtual ~Subject() = default;
  virtual FileSystem& files() = 0;
  virtual std::string root() = 0;

  std::string In(const std::string& name) { return JoinPath(root(), name); }
  void Write(const std::string& name, absl::string_view content) {
    const auto file = Value(files().Create(In(name)));
    REQUIRE(file->Append(content).ok());
    REQUIRE(file->Sync().ok());
    REQUIRE(file->Close().ok());
  }
  std::string Read(const std::string& name) { return Value(ReadFile(files(), In(name))); }
};

struct PosixSubject final : Subject {
  FileSystem& files() override { return PosixFileSystem(); }
  std::string root() override { return directory.path(); }
  testing::TempDir directory;
};

struct FaultSubject final : Subject {
  FaultSubject() { REQUIRE(memory.CreateDirectories("root").ok()); }
  FileSystem& files() override { return memory; }
  std::string root() override { return "root"; }
  testing::FaultFileSystem memory;
};

TEMPLATE_TEST_CASE("what was appended is read back", "", PosixSubject, FaultSubject) {
  TestType subject;
  const auto file = Value(subject.files().Create(subject.In("a")));
  REQUIRE(file->Append("hello ").ok());
  REQUIRE(file->Append("world").ok());
  REQUIRE(file->Close().ok());
  CHECK(subject.Read("a") == "hello world");
}

TEMPLATE_TEST_CASE("bytes that were appended can be replaced", "", PosixSubject, FaultSubject) {
  TestType subject;
  const auto file = Value(subject.files().Create(subject.In("a")));
  REQUIRE(file->Append("0123456789").ok());
  REQUIRE(file->WriteAt(3, "xyz").ok());
  REQUIRE(file->Append("end").ok());
  REQUIRE(file->Close().ok());
  CHECK(subject.Read("a") == "012xyz6789end");
}

TEMPLATE_TEST_CASE("creating a file that exists empties it", "", PosixSubject, FaultSubject) {
  TestType subject;
  subject.Write("a", "old and long");
  subject.Write("a", "new");
  CHECK(subject.Read("a") == "new");
}

TEMPLATE_TEST_CASE("a file is read at any offset, but not behind its end", "", PosixSubject,
                   FaultSubject) {
  TestType subject;
  subject.Write("a", "0123456789");
  const auto file = Value(subject.files().Open(subject.In("a")));
  CHECK(Value(file->Size()) == 10);
  CHECK(Value(file->Read(3, 4)) == "3456");
  CHECK(Value(file->Read(10, 0)).empty());
  CHECK(Brief(file->Read(8, 3)) == "OUT_OF_RANGE");
  CHECK(Brief(file->Read(11, 0)) == "OUT_OF_RANGE");
  CHECK(Brief(file->Read(0, ~size_t{0})) == "OUT_OF_RANGE");
}

TEMPLATE_TEST_CASE("a missing file is NOT_FOUND and its path is named", "", PosixSubject,
                   FaultSubject) {
  TestType subject;
  const std::string path = subject.In("none");
  const absl::Status status = subject.files().Open(path).status();
  CHECK(Brief(status) == "NOT_FOUND");
  CHECK_THAT(std::string(status.message()), Catch::Matchers::Contains(path));
  CHECK(Brief(subject.files().Remove(path)) == "NOT_FOUND");
  CHECK(Brief(subject.files().RemoveRecursively(path)) == "NOT_FOUND");
  CHECK(Brief(subject.files().Rename(path, subject.In("b"))) == "NOT_FOUND");
  CHECK(Brief(subject.files().List(path)) == "NOT_FOUND");
  CHECK(Brief(subject.files().SyncDirectory(path)) == "NOT_FOUND");
  CHECK(Brief(subject.files().Create(path + "/b")) == "NOT_FOUND");
}

TEMPLATE_TEST_CASE("a rename replaces what is there", "", PosixSubject, FaultSubject) {
  TestType subject;
  subject.Write("a", "1");
  subject.Write("b", "2");
  REQUIRE(subject.files().Rename(subject.In("a"), subject.In("b")).ok());
  CHECK(subject.Read("b") == "1");
  CHECK(Value(subject.files().List(subject.root())) == Strings{"b"});
}

TEMPLATE_TEST_CASE("a directory moves with all that is in it", "", PosixSubject, FaultSubject) {
  TestType subject;
  REQUIRE(subject.files().CreateDirectories(subject.In("d/e")).ok());
  subject.Write("d/e/f", "1");
  REQUIRE(subject.files().Rename(subject.In("d"), subject.In("moved")).ok());
  CHECK(subject.Read("moved/e/f") == "1");
  CHECK_FALSE(Value(subject.files().Exists(subject.In("d"))));
}

TEMPLATE_TEST_CASE("names are listed in order", "", PosixSubject, FaultSubject) {
  TestType subject;
  for (const char* name : {"b", "c", "a"}) subject.Write(name, "");
  REQUIRE(subject.files().CreateDirectories(subject.In("d")).ok());
  subject.Write("d/hidden", "");
  CHECK(Value(subject.files().List(subject.root())) == Strings{"a", "b", "c", "d"});
}

TEMPLATE_TEST_CASE("directories are created with their parents, and again without an error", "",
                   PosixSubject, FaultSubject) {
  TestType subject;
  REQUIRE(subject.files().CreateDirectories(subject.In("x/y/z")).ok());
  REQUIRE(subject.files().CreateDirectories(subject.In("x/y/z")).ok());
  CHECK(Value(subject.files().Exists(subject.In("x/y/z"))));
  CHECK(subject.files().SyncDirectory(subject.In("x/y")).ok());
}

TEMPLATE_TEST_CASE("a file in the way of a directory is an error", "", PosixSubject, FaultSubject) {
  TestType subject;
  subject.Write("x", "");
  CHECK_FALSE(subject.files().CreateDirectories(subject.In("x")).ok());
  CHECK_FALSE(subject.files().CreateDirectories(subject.In("x/y")).ok());
}

TEMPLATE_TEST_CASE("only an empty directory is removed, unless recursively", "", PosixSubject,
                   FaultSubject) {
  TestType subject;
  REQUIRE(subject.files().CreateDirectories(subject.In("d/e")).ok());
  subject.Write("d/e/f", "1");
  CHECK(Brief(subject.files().Remove(subject.In("d"))) == "INTERNAL");
  REQUIRE(subject.files().RemoveRecursively(subject.In("d")).ok());
  CHECK_FALSE(Value(subject.files().Exists(subject.In("d"))));
  REQUIRE(subject.files().CreateDirectories(subject.In("d")).ok());
  CHECK(subject.files().Remove(subject.In("d")).ok());
}

TEMPLATE_TEST_CASE("a path that leads through a file does not exist", "", PosixSubject,
                   FaultSubject) {
  TestType subject;
  subject.Write("a", "");
  CHECK_FALSE(Value(subject.files().Exists(subject.In("a/b"))));
}

TEMPLATE_TEST_CASE("the second to lock is told who was first", "", PosixSubject, FaultSubject) {
  TestType subject;
  const std::string path = subject.In("LOCK");
  auto lock = Value(subject.files().Lock(path, "pid 7 at 127.0.0.1:8276"));
  const absl::Status status = subject.files().Lock(path, "pid 8").status();
  CHECK(Brief(status) == "FAILED_PRECONDITION");
  CHECK(status.message() == path + " is locked by pid 7 at 127.0.0.1:8276");
  lock.reset();
  CHECK(subject.files().Lock(path, "pid 8").ok());
}

TEMPLATE_TEST_CASE("a lock that failed to be taken leaves the holder's name", "", PosixSubject,
                   FaultSubject) {
  TestType subject;
  const std::string path = subject.In("LOCK");
  const auto lock = Value(subject.files().Lock(path, "first"));
  for (int i = 0; i < 3; ++i) {
    CHECK(subject.files().Lock(path, "second").status().message() == path + " is locked by first");
  }
}

TEMPLATE_TEST_CASE("a file system says how much room it has", "", PosixSubject, FaultSubject) {
  TestType subject;
  const DiskSpace space = Value(subject.files().Space(subject.root()));
  CHECK(space.total_bytes > 0);
  CHECK(space.free_bytes <= space.total_bytes);
}

TEST_CASE("the text of a killed holder is not taken for the new one's") {
  PosixSubject subject;
  // As a killed process leaves it: text without a lock.
  subject.Write("LOCK", "pid 7, which had a very long name");
  const auto lock = Value(subject.files().Lock(subject.In("LOCK"), "pid 8"));
  CHECK(subject.files().Lock(subject.In("LOCK"), "x").status().message() ==
        subject.In("LOCK") + " is locked by pid 8");
}

TEST_CASE("files and directories are private to their owner") {
  PosixSubject subject;
  REQUIRE(subject.files().CreateDirectories(subject.In("d")).ok());
  subject.Write("d/f", "1");
  struct stat status {};
  REQUIRE(stat(subject.In("d").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0700);
  REQUIRE(stat(subject.In("d/f").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
}

TEST_CASE("a full device is RESOURCE_EXHAUSTED, DISK_FULL, and the file is given up") {
  const auto file = Value(PosixFileSystem().Create("/dev/full"));
  const absl::Status status = file->Append("x");
  CHECK(Brief(status) == "RESOURCE_EXHAUSTED DISK_FULL");
  CHECK_THAT(std::string(status.message()), Catch::Matchers::Contains("/dev/full"));
  CHECK(Brief(file->Append("")) == "RESOURCE_EXHAUSTED DISK_FULL");
  CHECK(Brief(file->Sync()) == "RESOURCE_EXHAUSTED DISK_FULL");
  CHECK(Brief(file->Close()) == "RESOURCE_EXHAUSTED DISK_FULL");
}

TEST_CASE("a file that cannot be synced says so for good") {
  const auto file = Value(PosixFileSystem().Create("/dev/null"));
  const absl::Status status = file->Sync();
  CHECK(Brief(status) == "INTERNAL");
  CHECK(file->Append("x") == status);
}

// Root may do everything, so it becomes nobody for a while.
class Nobody {
 public:
  Nobody() : changed_(seteuid(65534) == 0) {}
  ~Nobody() {
    if (changed_ && seteuid(getuid()) != 0) std::abort();
  }

 private:
  const bool changed_;
};

TEST_CASE("missing permission is PERMISSION_DENIED") {
  PosixSubject subject;
  subject.Write("a", "1");
  REQUIRE(chmod(subject.In("a").c_str(), 0) == 0);
  REQUIRE(chmod(subject.root().c_str(), 0500) == 0);
  {
    const Nobody nobody;
    CHECK(Brief(subject.files().Open(subject.In("a"))) == "PERMISSION_DENIED");
    CHECK(Brief(subject.files().Create(subject.In("b"))) == "PERMISSION_DENIED");
    CHECK(Brief(subject.files().CreateDirectories(subject.In("d"))) == "PERMISSION_DENIED");
  }
  REQUIRE(chmod(subject.root().c_str(), 0700) == 0);
}

TEST_CASE("what the system refuses for any other reason is INTERNAL, with its words") {
  FileSystem& files = PosixFileSystem();
  const std::string too_long = "/" + std::string(5000, 'x');
  for (const absl::Status& status :
       {files.Open(too_long).status(), files.Exists(too_long).status(), files.Remove(too_long),
        files.Space(too_long).status(), files.Lock(too_long, "x").status(),
        files.CreateDirectories(too_long), files.List(too_long).status()}) {
    CHECK(Brief(status) == "INTERNAL");
    CHECK_THAT(std::string(status.message()), Catch::Matchers::EndsWith(": File name too long"));
  }
  CHECK(Brief(files.SyncDirectory("/proc")) == "INTERNAL");
  CHECK(Brief(files.Space("/no/such/directory")) == "NOT_FOUND");
}

TEST_CASE("reading a file as a whole is bounded") {
  FaultSubject subject;
  subject.Write("a", "12345");
  CHECK(Value(ReadFile(subject.files(), subject.In("a"), 5)) == "12345");
  CHECK(Brief(ReadFile(subject.files(), subject.In("a"), 4)) == "OUT_OF_RANGE");
}

}  // namespace
}  // namespace tarn::base
