// The configuration file.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tarn::server {

struct FileSetting {
  std::string key;
  std::vector<std::string> values;  // Several for an array.
  int line = 0;
};

// The settings of a file in TOML's simplest form: `key = value` lines, strings in quotes or bare,
// arrays of strings, comments. There are no sections. INVALID_ARGUMENT naming the line that is
// anything else, or that sets a key again.
absl::StatusOr<std::vector<FileSetting>> ParseConfigFile(absl::string_view content);

}  // namespace tarn::server
