// `tarnctl bench`: a load for a server that runs, to see what it does where it is.
#pragma once

#include "client/cli/context.h"
#include <CLI/App.hpp>

namespace tarn::cli {

void AddBenchCommand(CLI::App& app, Command& chosen);

}  // namespace tarn::cli
