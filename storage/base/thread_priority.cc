#include "storage/base/thread_priority.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tarn::base {
namespace {

// About a third of a normal thread's share.
constexpr int kNice = 5;

}  // namespace

void LowerThisThreadsPriority() {
  // Linux gives each thread a value of its own, which setpriority(2) takes by thread id.
  const auto thread = static_cast<id_t>(syscall(SYS_gettid));
  if (getpriority(PRIO_PROCESS, thread) < kNice) setpriority(PRIO_PROCESS, thread, kNice);
}

}  // namespace tarn::base
