// The files by which the kernel tells of the system and of this process.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace tarn::base {

// The whole of a small file of /proc or /sys, which says its size is 0. NOT_FOUND when there is
// none, INTERNAL for all else.
absl::StatusOr<std::string> ReadKernelFile(const std::string& path);

// How many file descriptors this process has open.
absl::StatusOr<int64_t> CountOpenFiles();

}  // namespace tarn::base
