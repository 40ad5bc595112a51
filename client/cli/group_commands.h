// The commands that join groups of workers, and look after them: `tarnctl group ...`.
#pragma once

#include "client/cli/context.h"
#include <CLI/App.hpp>

namespace tarn::cli {

void AddGroupCommands(CLI::App& app, Command& chosen);

}  // namespace tarn::cli
