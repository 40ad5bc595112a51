#include "server/config/command_line.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/config/values.h"
#include <CLI/CLI.hpp>

namespace tarn::server {
namespace {

constexpr std::pair<const char*, Action> kActions[] = {{"help", Action::kHelp},
                                                       {"version", Action::kVersion},
                                                       {"check-config", Action::kCheckConfig},
                                                       {"print-config", Action::kPrintConfig},
                                                       {"print-redis-acl", Action::kPrintRedisAcl}};

absl::Status Unknown(const std::string& argument, const std::vector<OptionSpec>& table) {
  if (!absl::StartsWith(argument, "-")) {
    return absl::InvalidArgumentError(absl::StrCat("\"", argument, "\": tarnd takes options only"));
  }
  std::vector<std::string> known = {"--config",       "--help",         "--version",
                                    "--check-config", "--print-config", "--print-redis-acl"};
  for (const OptionSpec& option : table) known.push_back("--" + option.name);
  const std::string flag = argument.substr(0, argument.find('='));
  const std::string nearest = Nearest(flag, known);
  const std::string hint =
      nearest.empty() ? "see --help" : absl::StrCat("did you mean ", nearest, "?");
  return absl::InvalidArgumentError(absl::StrCat("unknown option ", flag, ": ", hint));
}

// CLI11's view of the table. Values stay text: option_table.cc reads them, wherever they come from.
class Parser {
 public:
  explicit Parser(const std::vector<OptionSpec>& table) : table_(table) {
    app_.set_help_flag();
    app_.allow_extras();
    app_.add_option("--config", config_file_);
    for (const auto& [name, action] : kActions)
      actions_.push_back(app_.add_flag(absl::StrCat("--", name)));
    for (const OptionSpec& option : table) {
      const std::string flag = "--" + option.name;
      options_.push_back(option.IsSwitch() ? app_.add_flag(flag) : app_.add_option(flag));
      options_.back()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    }
  }

  absl::StatusOr<CommandLine> Parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());  // As CLI11 wants them.
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::Error& error) {
      return absl::InvalidArgumentError(error.what());
    }
    if (!app_.remaining().empty()) return Unknown(app_.remaining().front(), table_);
    return Result();
  }

 private:
  CommandLine Result() const {
    CommandLine result;
    result.config_file = config_file_;
    for (size_t i = 0; i < actions_.size(); ++i) {
      if (actions_[i]->count() > 0) result.action = kActions[i].second;
    }
    for (size_t i = 0; i < table_.size(); ++i) {
      if (options_[i]->count() > 0) result.flags[table_[i].name] = options_[i]->results().back();
    }
    return result;
  }

  const std::vector<OptionSpec>& table_;
  CLI::App app_;
  std::string config_file_;
  std::vector<CLI::Option*> actions_;
  std::vector<CLI::Option*> options_;
};

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments,
                                             const std::vector<OptionSpec>& table) {
  return Parser(table).Parse(arguments);
}

}  // namespace tarn::server
