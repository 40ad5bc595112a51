#include "client/cli/describe.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/text.h"
#include <CLI/CLI.hpp>

namespace tarn::cli {
namespace {

// "--namespace" before "-n".
std::string Names(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_lnames()) names.push_back(JsonString("--" + name));
  for (const std::string& name : option.get_snames()) names.push_back(JsonString("-" + name));
  return absl::StrCat("[", absl::StrJoin(names, ","), "]");
}

// "SPAN", "{a,b}"; empty for a flag. CLI11 puts what it checks behind a colon.
std::string Argument(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return "";
  const std::string type = option.get_type_name();
  const size_t choices = type.find('{');
  return choices == std::string::npos ? type.substr(0, type.find(':')) : type.substr(choices);
}

std::string DescribeOption(const CLI::Option& option) {
  return absl::StrCat(
      R"({"names":)", Names(option), R"(,"argument":)", JsonString(Argument(option)),
      R"(,"default":)", JsonString(option.get_default_str()), R"(,"variable":)",
      JsonString(option.get_envname()), R"(,"about":)", JsonString(option.get_description()), "}");
}

std::string DescribePositional(const CLI::Option& option) {
  return absl::StrCat(R"({"name":)", JsonString(option.get_name(true)), R"(,"required":)",
                      option.get_required() ? "true" : "false", R"(,"about":)",
                      JsonString(option.get_description()), "}");
}

}  // namespace

std::string DescribeCommands(const CLI::App& app) {
  std::vector<std::string> options;
  std::vector<std::string> positionals;
  for (const CLI::Option* const option : app.get_options()) {
    if (option->get_group().empty()) continue;
    if (option->get_positional()) {
      positionals.push_back(DescribePositional(*option));
    } else {
      options.push_back(DescribeOption(*option));
    }
  }
  std::vector<std::string> commands;
  for (const CLI::App* const one : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!one->get_group().empty()) commands.push_back(DescribeCommands(*one));
  }
  return absl::StrCat(R"({"name":)", JsonString(app.get_name()), R"(,"about":)",
                      JsonString(app.get_description()), R"(,"options":[)",
                      absl::StrJoin(options, ",\n"), R"(],"positionals":[)",
                      absl::StrJoin(positionals, ",\n"), "],\n\"commands\":[",
                      absl::StrJoin(commands, ",\n"), "]}");
}

}  // namespace tarn::cli
