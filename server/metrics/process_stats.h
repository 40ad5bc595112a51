// What the kernel knows of this process.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tarn::server {

struct ProcessStats {
  double cpu_seconds = 0;
  double start_time_seconds = 0;  // Since the Unix epoch.
  uint64_t virtual_bytes = 0;
  uint64_t resident_bytes = 0;
  int64_t threads = 0;
  int64_t open_files = 0;
  uint64_t max_files = 0;
};

// Zeros where the kernel does not tell.
ProcessStats ReadProcessStats();

// From the text of /proc/self/stat; INVALID_ARGUMENT when it is not that.
absl::StatusOr<ProcessStats> ParseProcessStat(absl::string_view stat, int64_t ticks_per_second,
                                              uint64_t page_bytes, double boot_time_seconds);

}  // namespace tarn::server
