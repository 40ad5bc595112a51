#include "server/config/config_file.h"

#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "storage/base/status.h"
#include <CLI/CLI.hpp>

namespace tarn::server {
namespace {

absl::Status Malformed(int line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", what));
}

bool IsKey(absl::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!absl::ascii_isalnum(c) && c != '-' && c != '_') return false;
  }
  return true;
}

// CLI11 takes almost anything for a setting, cuts strings at '#', passes over what it cannot read,
// and knows no array whose first line is its bracket alone. So the form of each line is checked
// here first, and arrays are joined; what is left for CLI11 it reads well.
class FormCheck {
 public:
  absl::Status Line(int number, absl::string_view line) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') return absl::OkStatus();
    absl::StrAppend(&checked_, in_array_ ? "" : "\n", line);
    if (in_array_) return Array(number, line);
    if (line.front() == '[')
      return Malformed(number, "there are no sections: write all keys at the top level");
    const size_t equals = line.find('=');
    const absl::string_view key = absl::StripAsciiWhitespace(line.substr(0, equals));
    if (equals == absl::string_view::npos || !IsKey(key))
      return Malformed(number, "not of the form key = value");
    const auto [old, is_new] = lines_.emplace(std::string(key.data(), key.size()), number);
    if (!is_new)
      return Malformed(number,
                       absl::StrCat("\"", key, "\" was set on line ", old->second, " already"));
    return Value(number, absl::StripAsciiWhitespace(line.substr(equals + 1)));
  }

  absl::Status End() const {
    return in_array_ ? Malformed(*in_array_, "the array is not closed") : absl::OkStatus();
  }

  const std::map<std::string, int>& lines() const { return lines_; }
  // The settings, each on one line.
  const std::string& checked() const { return checked_; }

 private:
  absl::Status Value(int number, absl::string_view value) {
    if (value.empty() || value.front() == '#') return Malformed(number, "the value is missing");
    if (value.front() == '[') {
      in_array_ = number;
      return Array(number, value);
    }
    if (value.front() != '"' && value.front() != '\'') return Bare(number, value);
    const size_t end = value.find(value.front(), 1);
    if (end == absl::string_view::npos) return Malformed(number, "the quotes are not closed");
    const absl::string_view rest = absl::StripAsciiWhitespace(value.substr(end + 1));
    if (!rest.empty() && rest.front() != '#')
      return Malformed(number, "something follows the closing quotes");
    if (absl::StrContains(value.substr(0, end), "#"))
      return Malformed(number, "a value cannot hold a #");
    if (absl::StrContains(value.substr(0, end), "\\"))
      return Malformed(number, "a value cannot hold a \\");
    return absl::OkStatus();
  }

  static absl::Status Bare(int number, absl::string_view value) {
    if (absl::StrContains(value.substr(0, value.find('#')), "\\"))
      return Malformed(number, "a value cannot hold a \\");
    return absl::OkStatus();
  }

  absl::Status Array(int number, absl::string_view line) {
    if (absl::StrContains(line, "#")) return Malformed(number, "an array cannot hold a #");
    if (absl::StrContains(line, "\\")) return Malformed(number, "an array cannot hold a \\");
    if (line.back() == ']') in_array_.reset();
    return absl::OkStatus();
  }

  std::string checked_;
  std::map<std::string, int> lines_;
  std::optional<int> in_array_;  // The line on which it was opened.
};

absl::StatusOr<FormCheck> CheckForm(absl::string_view content) {
  FormCheck check;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(content, '\n')) {
    TARN_RETURN_IF_ERROR(check.Line(++number, line));
  }
  TARN_RETURN_IF_ERROR(check.End());
  return check;
}

}  // namespace

absl::StatusOr<std::vector<FileSetting>> ParseConfigFile(absl::string_view content) {
  TARN_ASSIGN_OR_RETURN(const FormCheck check, CheckForm(content));
  std::istringstream input(check.checked());
  std::vector<FileSetting> settings;
  for (CLI::ConfigItem& item : CLI::ConfigTOML().from_config(input)) {
    const auto line = check.lines().find(item.name);
    if (line == check.lines().end() || !item.parents.empty())
      return Malformed(0, absl::StrCat("cannot read ", item.name));
    settings.push_back({item.name, std::move(item.inputs), line->second});
  }
  return settings;
}

}  // namespace tarn::server
