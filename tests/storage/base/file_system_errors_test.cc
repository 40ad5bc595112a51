// What the operating system's file system says when the kernel refuses.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "storage/base/file_system.h"
#include "tests/catch.h"
#include "tests/support/status.h"
#include "tests/support/temp_dir.h"

namespace {
thread_local int flock_error = 0;
}  // namespace

// No file system at hand refuses a lock for any other reason than that somebody has it; network
// file systems do. This one stands before libc's.
extern "C" int flock(int descriptor, int operation) noexcept {
  if (flock_error != 0) {
    errno = flock_error;
    return -1;
  }
  return static_cast<int>(syscall(SYS_flock, descriptor, operation));
}

namespace tarn::base {
namespace {

using testing::Brief;
using testing::Value;

FileSystem& Files() { return PosixFileSystem(); }

bool Ends(const absl::Status& status, const std::string& text) {
  const std::string message(status.message());
  return message.size() >= text.size() &&
         message.compare(message.size() - text.size(), text.size(), text) == 0;
}

// Locks fail for another reason.
class NoLocks {
 public:
  NoLocks() { flock_error = ENOLCK; }
  ~NoLocks() { flock_error = 0; }
  NoLocks(const NoLocks&) = delete;
  NoLocks& operator=(const NoLocks&) = delete;
};

// No file of this process may grow.
class NoGrowth {
 public:
  NoGrowth() : handler_(signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit none = {.rlim_cur = 0, .rlim_max = before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &none) == 0);
  }
  ~NoGrowth() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }
  NoGrowth(const NoGrowth&) = delete;
  NoGrowth& operator=(const NoGrowth&) = delete;

 private:
  rlimit before_ = {};
  void (*const handler_)(int);
};

// The number that the next descriptor to be opened will have.
int NextDescriptor() {
  const int number = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(number);
  return number;
}

TEST_CASE("a replacement that finds the device full is DISK_FULL, and the file is given up") {
  const auto file = Value(Files().Create("/dev/full"));
  const absl::Status status = file->WriteAt(4, "x");
  CHECK(Brief(status) == "RESOURCE_EXHAUSTED DISK_FULL");
  CHECK(Ends(status, "cannot write to /dev/full: No space left on device"));
  CHECK(file->WriteAt(0, "") == status);
  CHECK(file->Append("") == status);
  CHECK(file->Sync() == status);
  CHECK(file->Close() == status);
}

TEST_CASE("a replacement that the kernel refuses is INTERNAL, with its words") {
  const testing::TempDir dir;
  const auto file = Value(Files().Create(dir / "a"));
  REQUIRE(file->Append("0123").ok());
  const NoGrowth no_growth;
  const absl::Status status = file->WriteAt(4, "x");
  CHECK(Brief(status) == "INTERNAL");
  CHECK(Ends(status, ": File too large"));
  CHECK(file->Close() == status);
}

TEST_CASE("a failure that only closing reports is reported, once and for good") {
  const testing::TempDir dir;
  const int descriptor = NextDescriptor();
  const auto file = Value(Files().Create(dir / "a"));
  REQUIRE(file->Append("1").ok());
  REQUIRE(close(descriptor) == 0);  // Behind its back.
  const absl::Status status = file->Close();
  CHECK(Brief(status) == "INTERNAL");
  CHECK(Ends(status, "cannot close " + (dir / "a") + ": Bad file descriptor"));
  CHECK(file->Close() == status);
}

TEST_CASE("closing twice is closing once") {
  const testing::TempDir dir;
  const auto file = Value(Files().Create(dir / "a"));
  CHECK(file->Close().ok());
  CHECK(file->Close().ok());
}

TEST_CASE("what cannot be read is INTERNAL, with the kernel's words") {
  const testing::TempDir dir;
  const auto directory = Value(Files().Open(dir.path()));
  const absl::StatusOr<std::string> content = directory->Read(0, 1);
  CHECK(Brief(content) == "INTERNAL");
  CHECK(Ends(content.status(), "cannot read " + dir.path() + ": Is a directory"));
}

TEST_CASE("a file whose size cannot be told is not read") {
  const int descriptor = NextDescriptor();
  const auto file = Value(Files().Open("/dev/null"));
  REQUIRE(close(descriptor) == 0);  // Behind its back.
  CHECK(Ends(file->Size().status(), "cannot inspect /dev/null: Bad file descriptor"));
  CHECK(Brief(file->Read(0, 1)) == "INTERNAL");
  // So that the destructor closes what is its own.
  REQUIRE(open("/dev/null", O_RDONLY | O_CLOEXEC) == descriptor);
}

TEST_CASE("a lock that the file system refuses is INTERNAL, and leaves the holder's name") {
  const testing::TempDir dir;
  const auto lock = Value(Files().Lock(dir / "LOCK", "first"));
  {
    const NoLocks no_locks;
    const absl::Status status = Files().Lock(dir / "LOCK", "second").status();
    CHECK(Brief(status) == "INTERNAL");
    CHECK(Ends(status, "cannot lock " + (dir / "LOCK") + ": No locks available"));
  }
  CHECK(Value(ReadFile(Files(), dir / "LOCK")) == "first");
}

TEST_CASE("a lock that cannot be emptied or named is not held") {
  const absl::Status device = Files().Lock("/dev/null", "x").status();
  CHECK(Brief(device) == "INTERNAL");
  CHECK(Ends(device, "cannot empty /dev/null: Invalid argument"));
  const testing::TempDir dir;
  {
    const NoGrowth no_growth;
    const absl::Status status = Files().Lock(dir / "LOCK", "first").status();
    CHECK(Brief(status) == "INTERNAL");
    CHECK(Ends(status, "cannot write to " + (dir / "LOCK") + ": File too large"));
  }
  CHECK(Files().Lock(dir / "LOCK", "second").ok());
}

}  // namespace
}  // namespace tarn::base
