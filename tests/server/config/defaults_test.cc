#include "server/config/defaults.h"

#include "tests/catch.h"

namespace tarn::server {
namespace {

TEST_CASE("the data directory suits a service, root and a person") {
  const Environment person = {{"HOME", "/home/ada"}};
  CHECK(DefaultDataDir({{"STATE_DIRECTORY", "/var/lib/tarn-a:/var/lib/b"}, {"HOME", "/home/ada"}},
                       1000) == "/var/lib/tarn-a");
  CHECK(DefaultDataDir(person, 0) == "/var/lib/tarn");
  CHECK(DefaultDataDir(person, 1000) == "/home/ada/.local/state/tarn");
  CHECK(DefaultDataDir({{"XDG_STATE_HOME", "/state"}, {"HOME", "/home/ada"}}, 1000) ==
        "/state/tarn");
  CHECK(DefaultDataDir({}, 1000) == "/var/lib/tarn");
}

TEST_CASE("the memory limit is half of what the process may use") {
  CHECK(DefaultMemoryLimit({.total = 1000}) == 500);
  CHECK(DefaultMemoryLimit({.total = 1000, .cgroup_limit = 600}) == 300);
  CHECK(DefaultMemoryLimit({.total = 1000, .cgroup_limit = 6000}) == 500);
  CHECK(DefaultMemoryLimit({}) > 0);
}

TEST_CASE("this machine tells how much memory it has") {
  const MachineMemory memory = ReadMachineMemory();
  REQUIRE(memory.total);
  CHECK(*memory.total > 1 << 20);
}

TEST_CASE("the tightest of a control group's limits and those above it counts") {
  const std::map<std::string, std::string> files = {{"/sys/fs/cgroup/a/b/memory.max", "max\n"},
                                                    {"/sys/fs/cgroup/a/memory.max", "3000\n"},
                                                    {"/sys/fs/cgroup/memory.max", "5000\n"}};
  const KernelFiles read = [&](const std::string& path) -> absl::StatusOr<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return absl::NotFoundError(path);
    return found->second;
  };
  CHECK(CgroupLimit("0::/a/b\n", read) == 3000);
  CHECK(CgroupLimit("0::/\n", read) == 5000);
  CHECK_FALSE(CgroupLimit("", read));
}

TEST_CASE("version 1 of control groups is understood, its huge number means none") {
  std::string content = "2000\n";
  const KernelFiles read = [&](const std::string& path) -> absl::StatusOr<std::string> {
    if (path != "/sys/fs/cgroup/memory/x/memory.limit_in_bytes") return absl::NotFoundError(path);
    return content;
  };
  CHECK(CgroupLimit("5:cpu:/x\n4:memory:/x\n", read) == 2000);
  content = "9223372036854771712\n";
  CHECK_FALSE(CgroupLimit("4:memory:/x\n", read));
}

}  // namespace
}  // namespace tarn::server
