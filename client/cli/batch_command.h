// `tarnctl batch`: many operations, from a file or standard input.
#pragma once

#include "client/cli/context.h"
#include <CLI/App.hpp>

namespace tarn::cli {

void AddBatchCommand(CLI::App& app, Command& chosen);

}  // namespace tarn::cli
