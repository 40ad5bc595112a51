#include "server/metrics/process_stats.h"

#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "storage/base/kernel_file.h"

namespace tarn::server {
namespace {

// Positions in /proc/self/stat behind the command's name, which is in parentheses and may hold
// spaces.
constexpr size_t kUserTime = 11;
constexpr size_t kSystemTime = 12;
constexpr size_t kThreads = 17;
constexpr size_t kStartTime = 19;
constexpr size_t kVirtualBytes = 20;
constexpr size_t kResidentPages = 21;

double BootTime() {
  const absl::StatusOr<std::string> stat = base::ReadKernelFile("/proc/stat");
  if (!stat.ok()) return 0;
  for (absl::string_view line : absl::StrSplit(*stat, '\n')) {
    double seconds = 0;
    if (absl::ConsumePrefix(&line, "btime ") && absl::SimpleAtod(line, &seconds)) return seconds;
  }
  return 0;
}

}  // namespace

absl::StatusOr<ProcessStats> ParseProcessStat(absl::string_view stat, int64_t ticks_per_second,
                                              uint64_t page_bytes, double boot_time_seconds) {
  const size_t name_end = stat.rfind(')');
  if (name_end == absl::string_view::npos)
    return absl::InvalidArgumentError("no command in /proc/self/stat");
  const std::vector<absl::string_view> fields =
      absl::StrSplit(stat.substr(name_end + 1), absl::ByAnyChar(" \n"), absl::SkipEmpty());
  std::vector<int64_t> numbers(fields.size());
  for (size_t i = 1; i < fields.size(); ++i) {
    if (!absl::SimpleAtoi(fields[i], &numbers[i]))
      numbers[i] = 0;  // An unsigned limit; none that is used here.
  }
  if (numbers.size() <= kResidentPages)
    return absl::InvalidArgumentError("/proc/self/stat is too short");
  const auto seconds = [&](size_t field) {
    return static_cast<double>(numbers[field]) / static_cast<double>(ticks_per_second);
  };
  ProcessStats stats;
  stats.cpu_seconds = seconds(kUserTime) + seconds(kSystemTime);
  stats.start_time_seconds = boot_time_seconds + seconds(kStartTime);
  stats.threads = numbers[kThreads];
  stats.virtual_bytes = static_cast<uint64_t>(numbers[kVirtualBytes]);
  stats.resident_bytes = static_cast<uint64_t>(numbers[kResidentPages]) * page_bytes;
  return stats;
}

ProcessStats ReadProcessStats() {
  ProcessStats stats;
  if (const auto stat = base::ReadKernelFile("/proc/self/stat"); stat.ok()) {
    const auto parsed = ParseProcessStat(*stat, sysconf(_SC_CLK_TCK),
                                         static_cast<uint64_t>(sysconf(_SC_PAGESIZE)), BootTime());
    if (parsed.ok()) stats = *parsed;
  }
  if (const auto files = base::CountOpenFiles(); files.ok()) stats.open_files = *files;
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.max_files = limit.rlim_cur;
  return stats;
}

}  // namespace tarn::server
