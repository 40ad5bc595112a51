// Defaults that depend on where the daemon runs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tarn::server {

using Environment = std::map<std::string, std::string>;

// What systemd gave (STATE_DIRECTORY), else /var/lib/tarn for root, else tarn below the user's
// state directory
// ($XDG_STATE_HOME or ~/.local/state).
std::string DefaultDataDir(const Environment& environment, uint32_t user);

// What there is of memory, in bytes, as the kernel's files say; what they do not say is missing.
struct MachineMemory {
  std::optional<uint64_t> total;
  std::optional<uint64_t> cgroup_limit;  // The tightest one over this process.
};
MachineMemory ReadMachineMemory();

// How the content of a kernel's file is had, by its path.
using KernelFiles = std::function<absl::StatusOr<std::string>(const std::string& path)>;

// The tightest memory limit over the process whose /proc/self/cgroup has this text.
std::optional<uint64_t> CgroupLimit(absl::string_view groups, const KernelFiles& read);

// Half of what this process may use: the other half is for snapshots, requests, and everything
// else.
uint64_t DefaultMemoryLimit(const MachineMemory& memory);

}  // namespace tarn::server
