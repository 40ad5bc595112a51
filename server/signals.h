// The signals the daemon listens to.
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace tarn::server {

// Makes SIGTERM, SIGINT and SIGHUP wait until they are asked for, in this thread and all that it
// starts later, and ignores SIGPIPE. To be called before any other thread runs.
void BlockSignals();

enum class Signal : uint8_t { kNone, kStop, kReload };

// The next signal; kNone when none came in time.
Signal WaitForSignal(absl::Duration timeout);

// Makes a reload that came too early wait to be asked for once more, by this thread.
void PostponeReload();

}  // namespace tarn::server
