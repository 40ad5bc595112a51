// What works on a checkpoint file without a daemon: `tarnctl inspect` and `tarnctl verify`.
#pragma once

#include "client/cli/context.h"
#include <CLI/App.hpp>

namespace tarn::cli {

void AddFileCommands(CLI::App& app, Command& chosen);

}  // namespace tarn::cli
