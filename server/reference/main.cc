// tarnd-reference: what tarnd takes and publishes, as JSON, for the documents made from it
// (docs/reference.py): options, exit codes, metrics. Not installed.
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "server/config/option_table.h"
#include "server/exit_codes.h"
#include "server/metrics/exporter.h"

namespace tarn::server {
namespace {

// Texts here hold no other characters that JSON wants escaped.
std::string Quote(absl::string_view text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

std::string Describe(const OptionSpec& option) {
  return absl::StrCat(R"({"name": )", Quote(option.name), R"(, "group": )", Quote(option.group),
                      R"(, "argument": )", Quote(option.placeholder), R"(, "default": )",
                      Quote(option.show(Options())), R"(, "variable": )", Quote(VariableOf(option)),
                      R"(, "reload": )", option.change == Change::kAtReload ? "true" : "false",
                      R"(, "help": )", Quote(option.help), "}");
}

std::vector<std::string> DescribeOptions() {
  std::vector<std::string> lines;
  for (const OptionSpec& option : OptionTable()) lines.push_back(Describe(option));
  return lines;
}

std::vector<std::string> DescribeExitCodes() {
  std::vector<std::string> lines;
  for (const ExitCodeMeaning& one : kExitCodes) {
    lines.push_back(absl::StrCat(R"({"code": )", static_cast<int>(one.code), R"(, "meaning": )",
                                 Quote(one.meaning), "}"));
  }
  return lines;
}

// From the text of a scrape that has everything.
std::vector<std::string> DescribeMetrics() {
  MetricsSnapshot snapshot;
  snapshot.store.emplace();
  snapshot.locks.emplace();
  snapshot.checkpoints.emplace();
  snapshot.redis.emplace();
  std::vector<std::string> lines;
  std::string help;
  for (const absl::string_view line : absl::StrSplit(RenderMetrics(snapshot), '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 3));
    if (words.size() < 4) continue;
    if (words[1] == "HELP") help = words[3];
    if (words[1] != "TYPE") continue;
    lines.push_back(absl::StrCat(R"({"name": )", Quote(words[2]), R"(, "type": )", Quote(words[3]),
                                 R"(, "help": )", Quote(help), "}"));
  }
  return lines;
}

std::string Section(absl::string_view name, const std::vector<std::string>& lines) {
  return absl::StrCat(Quote(name), ": [\n", absl::StrJoin(lines, ",\n"), "\n]");
}

}  // namespace
}  // namespace tarn::server

int main() {
  using tarn::server::Section;
  std::cout << "{" << Section("options", tarn::server::DescribeOptions()) << ",\n"
            << Section("exit_codes", tarn::server::DescribeExitCodes()) << ",\n"
            << Section("metrics", tarn::server::DescribeMetrics()) << "}\n";
  return 0;
}
