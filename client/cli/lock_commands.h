// The commands `tarnctl lock ...`.
#pragma once

#include "client/cli/context.h"
#include <CLI/App.hpp>

namespace tarn::cli {

void AddLockCommands(CLI::App& app, Command& chosen);

}  // namespace tarn::cli
