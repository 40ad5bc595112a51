// `tarnctl ns`: list, show, create, update, delete.
#pragma once

#include "client/cli/context.h"
#include <CLI/App.hpp>

namespace tarn::cli {

void AddNamespaceCommands(CLI::App& app, Command& chosen);

}  // namespace tarn::cli
