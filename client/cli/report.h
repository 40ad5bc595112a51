// What went wrong, for people and for scripts.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "client/cli/context.h"
#include "client/cli/exit_code.h"

namespace tarn::cli {

enum class Effect { kReads, kWrites };

// Why work ended that Ctrl-C has ended: not to be confused with what a server calls cancelled.
absl::Status Interruption();
bool IsInterruption(const absl::Status& status);

// How the command ends that failed like this.
ExitCode ExitCodeOf(const absl::Status& status, Effect effect);

// Says on stderr what failed, why (the reason's name included), and what to do next. Returns
// ExitCodeOf.
ExitCode Report(const Context& context, std::string_view what, const absl::Status& status,
                Effect effect);

}  // namespace tarn::cli
