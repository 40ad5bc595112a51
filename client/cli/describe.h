// The command tree as JSON: the manual page and the shells' completions are made from it.
#pragma once

#include <string>

#include <CLI/App.hpp>

namespace tarn::cli {

// {"name", "about", "options": [{"names", "argument", "default", "variable", "about"}],
// "positionals": [{"name", "required", "about"}], "commands": [...]}, hidden ones left out.
std::string DescribeCommands(const CLI::App& app);

}  // namespace tarn::cli
