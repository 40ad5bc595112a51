#include "storage/base/thread_priority.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "storage/base/kernel_file.h"

namespace tarn::base {
namespace {

// About half of a normal thread's share: two such threads weigh as much as one that serves, which
// then has a processor of two to itself.
constexpr int kNice = 3;

}  // namespace

void LowerThisThreadsPriority() {
  // Linux gives each thread a value of its own, which setpriority(2) takes by thread id.
  const auto thread = static_cast<id_t>(syscall(SYS_gettid));
  if (getpriority(PRIO_PROCESS, thread) < kNice) setpriority(PRIO_PROCESS, thread, kNice);
}

ThreadTimes TimesOfThisThread() {
  // Nanoseconds run, nanoseconds waited, and how often; see proc_schedstat in the kernel's sources.
  const absl::StatusOr<std::string> line = ReadKernelFile("/proc/thread-self/schedstat");
  if (!line.ok()) return {};
  const std::vector<absl::string_view> fields = absl::StrSplit(*line, ' ');
  ThreadTimes times;
  if (fields.size() < 2 || !absl::SimpleAtoi(fields[0], &times.ran_nanos) ||
      !absl::SimpleAtoi(fields[1], &times.waited_nanos)) {
    return {};
  }
  return times;
}

}  // namespace tarn::base
