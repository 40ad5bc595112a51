#include "server/config/defaults.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "storage/base/kernel_file.h"

namespace tarn::server {
namespace {

constexpr uint64_t kFallbackMemory = uint64_t{1} << 30;  // When the kernel tells nothing.

std::string Get(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

std::optional<uint64_t> ParseTotal(absl::string_view meminfo) {
  for (absl::string_view line : absl::StrSplit(meminfo, '\n')) {
    if (!absl::ConsumePrefix(&line, "MemTotal:") || !absl::ConsumeSuffix(&line, "kB")) continue;
    uint64_t kibibytes = 0;
    if (absl::SimpleAtoi(absl::StripAsciiWhitespace(line), &kibibytes)) return kibibytes << 10;
  }
  return std::nullopt;
}

// A limit's file; "max", and the huge number of version 1, mean none.
std::optional<uint64_t> ReadLimit(const KernelFiles& read, const std::string& path) {
  const absl::StatusOr<std::string> content = read(path);
  uint64_t bytes = 0;
  if (!content.ok() || !absl::SimpleAtoi(absl::StripAsciiWhitespace(*content), &bytes))
    return std::nullopt;
  if (bytes == 0 || bytes > (uint64_t{1} << 60)) return std::nullopt;
  return bytes;
}

// The limit of a control group and of all above it.
std::optional<uint64_t> TightestLimit(const KernelFiles& read, const std::string& root,
                                      std::string group, const std::string& file) {
  std::optional<uint64_t> tightest;
  while (true) {
    if (const auto limit = ReadLimit(read, absl::StrCat(root, group, "/", file))) {
      tightest = std::min(*limit, tightest.value_or(std::numeric_limits<uint64_t>::max()));
    }
    const size_t slash = group.rfind('/');
    if (slash == std::string::npos) return tightest;
    group.resize(slash);
  }
}

}  // namespace

// From /proc/self/cgroup: "0::/path" is version 2, "4:memory:/path" version 1.
std::optional<uint64_t> CgroupLimit(absl::string_view groups, const KernelFiles& read) {
  std::optional<uint64_t> tightest;
  for (const absl::string_view line : absl::StrSplit(groups, '\n')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    std::string group(parts[2].data(), parts[2].size());
    if (group == "/") group.clear();
    std::optional<uint64_t> limit;
    if (parts[1].empty()) limit = TightestLimit(read, "/sys/fs/cgroup", group, "memory.max");
    if (parts[1] == "memory")
      limit = TightestLimit(read, "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
    if (limit) tightest = std::min(*limit, tightest.value_or(*limit));
  }
  return tightest;
}

std::string DefaultDataDir(const Environment& environment, uint32_t user) {
  // systemd gives several directories separated by colons; ours is the first.
  if (const std::string given = Get(environment, "STATE_DIRECTORY"); !given.empty()) {
    return given.substr(0, given.find(':'));
  }
  if (user == 0) return "/var/lib/tarn";
  if (const std::string state = Get(environment, "XDG_STATE_HOME"); !state.empty())
    return state + "/tarn";
  if (const std::string home = Get(environment, "HOME"); !home.empty())
    return home + "/.local/state/tarn";
  return "/var/lib/tarn";
}

MachineMemory ReadMachineMemory() {
  MachineMemory memory;
  if (const auto meminfo = base::ReadKernelFile("/proc/meminfo"); meminfo.ok())
    memory.total = ParseTotal(*meminfo);
  if (const auto groups = base::ReadKernelFile("/proc/self/cgroup"); groups.ok()) {
    memory.cgroup_limit = CgroupLimit(*groups, base::ReadKernelFile);
  }
  return memory;
}

uint64_t DefaultMemoryLimit(const MachineMemory& memory) {
  uint64_t usable = memory.total.value_or(kFallbackMemory);
  if (memory.cgroup_limit) usable = std::min(usable, *memory.cgroup_limit);
  return usable / 2;
}

}  // namespace tarn::server
