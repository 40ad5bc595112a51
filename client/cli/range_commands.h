// Commands on ranges of keys: scan, count, clear.
#pragma once

#include "client/cli/context.h"
#include <CLI/App.hpp>

namespace tarn::cli {

void AddRangeCommands(CLI::App& app, Command& chosen);

}  // namespace tarn::cli
