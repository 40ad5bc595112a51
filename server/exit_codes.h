// How the daemon ends, for service managers and scripts. Documented in --help and
// docs/configuration.md.
#pragma once

#include "absl/status/status.h"

namespace tarn::server {

// NOTE: scripts rely on the numbers; do not change them.
enum class ExitCode : int {
  kStopped = 0,
  kFailed = 1,
  kUsage = 2,
  kLocked = 3,
  kDamaged = 4,
  kOtherStore = 5,
  kCannotListen = 6,
  kStoppedAtOnce = 7,
  kDeposed = 8,
};

struct ExitCodeMeaning {
  ExitCode code;
  const char* meaning;
};

inline constexpr ExitCodeMeaning kExitCodes[] = {
    {ExitCode::kStopped, "stopped as asked"},
    {ExitCode::kFailed, "failed: see the log"},
    {ExitCode::kUsage, "the command line or the configuration is wrong"},
    {ExitCode::kLocked, "another daemon has the data directory or the checkpoint directory"},
    {ExitCode::kDamaged, "the data directory is damaged, or no checkpoint is valid"},
    {ExitCode::kOtherStore,
     "data directory, engine and checkpoint directory are not of one store, or of a newer tarnd"},
    {ExitCode::kCannotListen, "cannot listen: the address is taken, or not this machine's"},
    {ExitCode::kStoppedAtOnce, "stopped at once by a second signal, with calls unfinished"},
    {ExitCode::kDeposed, "another daemon has taken the store over"},
};

// An error that says how the daemon should exit because of it.
absl::Status WithExitCode(const absl::Status& error, ExitCode code);

// An error met where a store is opened: damage is kDamaged, a failed precondition kOtherStore, all
// else kFailed.
absl::Status ExitingFromStore(const absl::Status& error);

bool HasExitCode(const absl::Status& error);

// kFailed when the error does not say.
ExitCode ExitCodeOf(const absl::Status& error);

}  // namespace tarn::server
