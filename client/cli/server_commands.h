// `tarnctl server`: info, stats, health; and `tarnctl stat`, the rolling line.
#pragma once

#include "client/cli/context.h"
#include <CLI/App.hpp>

namespace tarn::cli {

void AddServerCommands(CLI::App& app, Command& chosen);
void AddStatCommand(CLI::App& app, Command& chosen);

}  // namespace tarn::cli
