// Commands on one key: get, put, del, take, incr, append, touch.
#pragma once

#include "client/cli/context.h"
#include <CLI/App.hpp>

namespace tarn::cli {

// Adds the commands to the application; the one that is chosen becomes `chosen`.
void AddEntryCommands(CLI::App& app, Command& chosen);

}  // namespace tarn::cli
