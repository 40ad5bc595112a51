// `tarnctl checkpoint ...`.
#pragma once

#include "client/cli/context.h"
#include <CLI/App.hpp>

namespace tarn::cli {

void AddCheckpointCommands(CLI::App& app, Command& chosen);

// Those that move whole files or compare them: diff, export, import.
void AddCheckpointTransferCommands(CLI::App& group, Command& chosen);

}  // namespace tarn::cli
