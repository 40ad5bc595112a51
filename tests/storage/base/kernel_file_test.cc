#include "storage/base/kernel_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "tests/catch.h"
#include "tests/support/status.h"
#include "tests/support/temp_dir.h"

namespace tarn::base {
namespace {

using testing::Brief;
using testing::Value;

TEST_CASE("a file that says its size is 0 is read whole") {
  CHECK(Value(ReadKernelFile("/proc/self/comm")) ==
        std::string(program_invocation_short_name).substr(0, 15) + "\n");
  CHECK(Value(ReadKernelFile("/proc/self/smaps")).size() > 4096);
}

TEST_CASE("a kernel file that is not there is NOT_FOUND, and its path is named") {
  const absl::Status status = ReadKernelFile("/proc/self/none").status();
  CHECK(status.message() == "cannot read /proc/self/none: No such file or directory");
  CHECK(Brief(status) == "NOT_FOUND");
}

TEST_CASE("a kernel file that cannot be read, or never ends, is INTERNAL") {
  CHECK(Brief(ReadKernelFile("/proc/self")) == "INTERNAL");
  CHECK(Brief(ReadKernelFile("/dev/zero")) == "INTERNAL");
}

TEST_CASE("open files are counted without the counting") {
  const int64_t before = Value(CountOpenFiles());
  const int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
  CHECK(Value(CountOpenFiles()) == before + 1);
  close(descriptor);
  CHECK(Value(CountOpenFiles()) == before);
}

}  // namespace
}  // namespace tarn::base
