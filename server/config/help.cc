// --help.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/config/configuration.h"
#include "server/exit_codes.h"

namespace tarn::server {
namespace {

constexpr size_t kWidth = 100;
constexpr char kIndent[] = "      ";

// `text` in lines of at most kWidth, each behind the indent.
std::string Wrapped(absl::string_view text) {
  std::string result;
  std::string line = kIndent;
  for (const absl::string_view word : absl::StrSplit(text, ' ')) {
    if (line.size() + word.size() + 1 > kWidth) {
      absl::StrAppend(&result, line, "\n");
      line = kIndent;
    }
    absl::StrAppend(&line, line.size() > sizeof(kIndent) - 1 ? " " : "", word);
  }
  return absl::StrCat(result, line, "\n");
}

std::string Entry(const OptionSpec& option, const Options& defaults) {
  const std::string value = option.show(defaults);
  std::string notes = absl::StrCat("[", VariableOf(option));
  if (!value.empty()) absl::StrAppend(&notes, ", default ", value);
  if (option.change == Change::kAtReload) absl::StrAppend(&notes, ", reloadable");
  const std::string placeholder = option.IsSwitch() ? "" : absl::StrCat(" ", option.placeholder);
  return absl::StrCat("  --", option.name, placeholder, "\n",
                      Wrapped(absl::StrCat(option.help, " ", notes, "]")));
}

}  // namespace

std::string HelpText(const Options& defaults) {
  std::string text =
      "tarnd, a state store for stream processing.\n"
      "\n"
      "Usage: tarnd [OPTION...]\n"
      "\n"
      "An option is taken from the first of these that has it: the flag, the environment variable, "
      "the\n"
      "configuration file (--config, or TARN_CONFIG: lines of key = \"value\", keys as the flags "
      "without\n"
      "dashes), the default. On SIGHUP the file is read again.\n"
      "\n"
      "  --config FILE\n"
      "      The configuration file. [TARN_CONFIG]\n"
      "  --check-config\n"
      "      Check the configuration and exit.\n"
      "  --print-config\n"
      "      Print the configuration with each value's origin, as a configuration file, and exit.\n"
      "  --print-redis-acl\n"
      "      Print what the daemon's user must be allowed in Redis, as ACL SETUSER reads it, and "
      "exit.\n"
      "  --version\n"
      "      Print the version and exit.\n"
      "  --help\n"
      "      Print this and exit.\n";
  std::string group;
  for (const OptionSpec& option : OptionTable()) {
    if (option.group != group) absl::StrAppend(&text, "\n", option.group, ":\n");
    group = option.group;
    absl::StrAppend(&text, Entry(option, defaults));
  }
  absl::StrAppend(&text,
                  "\nSignals: SIGTERM and SIGINT drain and stop, a second one stops at once; "
                  "SIGHUP reloads.\n");
  absl::StrAppend(&text, "\nExit status:\n");
  for (const ExitCodeMeaning& one : kExitCodes) {
    absl::StrAppend(&text, "  ", static_cast<int>(one.code), "  ", one.meaning, "\n");
  }
  return text;
}

}  // namespace tarn::server
