// How tarnctl ends. The numbers are documented and stay.
#pragma once

namespace tarn::cli {

enum class ExitCode {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kLostRace = 3,
  kNotFound = 4,
  kDamaged = 5,
  kUnavailable = 6,
  kOutcomeUnknown = 7,
  kLimit = 8,
  kDenied = 9,
  kNewerFormat = 10,
  kInterrupted = 130,
};

struct ExitCodeMeaning {
  ExitCode code;
  const char* meaning;
};

inline constexpr ExitCodeMeaning kExitCodes[] = {
    {ExitCode::kDone, "done"},
    {ExitCode::kFailed, "failed for a reason that has no code of its own"},
    {ExitCode::kUsage, "the command line, or the request, can never succeed as it is"},
    {ExitCode::kLostRace, "a precondition was not met, or a race was lost; nothing was done"},
    {ExitCode::kNotFound,
     "there is no such key (get, take, touch), namespace, checkpoint, job or file"},
    {ExitCode::kDamaged, "damaged data was found"},
    {ExitCode::kUnavailable, "the server cannot be reached, or does not serve; nothing was done"},
    {ExitCode::kOutcomeUnknown, "it is not known whether the write was done"},
    {ExitCode::kLimit, "a queue, quota, memory or disk limit; nothing was done"},
    {ExitCode::kDenied, "this caller may not do that"},
    {ExitCode::kNewerFormat, "a checkpoint is of a format for newer programs"},
    {ExitCode::kInterrupted, "interrupted (Ctrl-C)"},
};

}  // namespace tarn::cli
