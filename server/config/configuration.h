// From flags, environment, file and defaults to the options: the first that says something decides.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/config/command_line.h"
#include "server/config/defaults.h"
#include "server/config/option_table.h"
#include "server/config/options.h"
#include "storage/base/file_system.h"

namespace tarn::server {

struct Configuration {
  Options options;
  std::map<std::string, std::string>
      origins;  // By option: "flag", "TARN_LISTEN", "FILE:LINE", "default".
};

// What a configuration is made from besides the command line.
struct ConfigurationSources {
  Environment environment;
  base::FileSystem& files;
  Options defaults;
};

// The defaults that depend on user, environment and machine filled in.
Options DefaultOptions(const Environment& environment, uint32_t user);

// INVALID_ARGUMENT naming the flag, variable or line of the file that is unknown or wrong, or the
// options that do not go together.
absl::StatusOr<Configuration> LoadConfiguration(const CommandLine& command_line,
                                                const ConfigurationSources& sources);

// As a configuration file, with each value's origin.
std::string PrintConfiguration(const Configuration& configuration,
                               const std::vector<OptionSpec>& table);

// What differs between two configurations, divided by what may change while the daemon runs.
struct ConfigurationChange {
  std::vector<std::string> applied;   // "log-level: info -> debug"
  std::vector<std::string> deferred;  // Needs a restart.
};
ConfigurationChange CompareConfigurations(const Options& running, const Options& wanted);

std::string HelpText(const Options& defaults);

}  // namespace tarn::server
