// tarnctl without a process around it.
#pragma once

#include <string>
#include <vector>

#include "client/cli/context.h"
#include "client/cli/exit_code.h"

namespace tarn::cli {

// Parses the arguments (without the program's name) and runs the command that they choose.
ExitCode RunTarnctl(const std::vector<std::string>& arguments, Environment& env);

}  // namespace tarn::cli
