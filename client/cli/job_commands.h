// Long-running work of the server: waiting for it, and the commands `tarnctl job ...`.
#pragma once

#include <functional>
#include <string>

#include "client/cli/context.h"
#include "client/cli/progress.h"
#include <CLI/App.hpp>

namespace tarn::cli {

// A job that a command has begun, or found.
struct Followed {
  Job job;
  std::string command;  // As typed, for messages.
  Loudness loudness = Loudness::kNormal;
  std::function<void(const Job&)> on_change;  // Empty: nobody wants to know.
};

// Waits until the job has ended, with a sign of life. `done` says how the command ends when the job
// has succeeded; otherwise what went wrong is reported. On Ctrl-C the job goes on, which is said.
ExitCode FollowJob(const Context& context, const Followed& followed,
                   const std::function<ExitCode(const Job&)>& done);

// Says that the job was begun, and by which number it is known; for commands that do not wait.
ExitCode PrintBegun(const Context& context, const Job& job);

void AddJobCommands(CLI::App& app, Command& chosen);

}  // namespace tarn::cli
