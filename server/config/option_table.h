// The one table of options: flags, environment variables, the configuration file, --help and the
// documentation come from it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/config/options.h"

namespace tarn::server {

// When a changed value takes effect.
enum class Change : uint8_t { kAtRestart, kAtReload };

// Whether --print-config and logs may show the value.
enum class Secrecy : uint8_t { kShown, kRedacted };

struct OptionSpec {
  std::string name;  // "data-dir": --data-dir, TARN_DATA_DIR, and `data-dir` in the file.
  std::string group;
  std::string placeholder;  // What stands for the value in --help; empty for a switch.
  std::string help;
  Change change = Change::kAtRestart;
  Secrecy secrecy = Secrecy::kShown;
  std::function<absl::Status(absl::string_view text, Options* options)> set;
  std::function<std::string(const Options& options)> show;  // As `set` would read it.

  bool IsSwitch() const { return placeholder.empty(); }
};

// In the order of --help.
const std::vector<OptionSpec>& OptionTable();

// "TARN_DATA_DIR".
std::string VariableOf(const OptionSpec& option);

}  // namespace tarn::server
