// docs/configuration.md says what the option table says.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/config/configuration.h"
#include "server/exit_codes.h"
#include "tests/catch.h"

namespace tarn::server {
namespace {

std::string Document() {
  std::ifstream file(absl::StrCat(std::getenv("TARN_SOURCE_DIR"), "/docs/configuration.md"));
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string Cell(const std::string& text) { return absl::StrReplaceAll(text, {{"|", "\\|"}}); }

std::string DefaultOf(const OptionSpec& option) {
  if (option.name == "data-dir" || option.name == "memory-limit" || option.name == "checkpoint-dir")
    return "see below";
  const std::string value = option.show(Options());
  return value.empty() ? "none" : absl::StrCat("`", value, "`");
}

std::string Row(const OptionSpec& option) {
  const std::string value = option.IsSwitch() ? "" : absl::StrCat(" ", option.placeholder);
  return absl::StrCat("| `--", option.name, Cell(value), "` | ", DefaultOf(option), " | ",
                      option.change == Change::kAtReload ? "yes" : "", " | ", Cell(option.help),
                      " |");
}

TEST_CASE("docs/configuration.md has every option as the table has it") {
  const std::string document = Document();
  for (const OptionSpec& option : OptionTable()) {
    INFO("docs/configuration.md lacks the line:\n" << Row(option));
    CHECK(document.find(Row(option) + "\n") != std::string::npos);
  }
}

TEST_CASE("docs/configuration.md has no option that is not in the table") {
  const std::string document = Document();
  for (size_t at = 0; (at = document.find("| `--", at)) != std::string::npos; ++at) {
    const size_t begin = at + 5;
    const std::string name = document.substr(begin, document.find_first_of(" `", begin) - begin);
    INFO(name);
    const auto& table = OptionTable();
    CHECK(std::any_of(table.begin(), table.end(),
                      [&](const OptionSpec& one) { return one.name == name; }));
  }
}

TEST_CASE("docs/configuration.md has every exit code") {
  const std::string document = Document();
  for (const ExitCodeMeaning& one : kExitCodes) {
    const std::string row =
        absl::StrCat("| ", static_cast<int>(one.code), " | ", one.meaning, " |\n");
    INFO("docs/configuration.md lacks the line:\n" << row);
    CHECK(document.find(row) != std::string::npos);
  }
}

}  // namespace
}  // namespace tarn::server
