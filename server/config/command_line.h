// The daemon's command line.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/config/option_table.h"

namespace tarn::server {

enum class Action : uint8_t { kServe, kHelp, kVersion, kCheckConfig, kPrintConfig, kPrintRedisAcl };

struct CommandLine {
  Action action = Action::kServe;
  std::string config_file;                   // Empty: not given.
  std::map<std::string, std::string> flags;  // By the name of the option.
};

// `arguments` without the program's name. INVALID_ARGUMENT naming what it does not know, with what
// was probably meant.
absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments,
                                             const std::vector<OptionSpec>& table);

}  // namespace tarn::server
