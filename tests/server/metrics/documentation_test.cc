// docs/metrics.md says what /metrics says.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/metrics/exporter.h"
#include "tests/catch.h"

namespace tarn::server {
namespace {

std::string Document() {
  std::ifstream file(absl::StrCat(std::getenv("TARN_SOURCE_DIR"), "/docs/metrics.md"));
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Everything that can be published.
std::string Everything() {
  MetricsSnapshot snapshot;
  snapshot.store.emplace();
  snapshot.locks.emplace();
  snapshot.checkpoints.emplace();
  snapshot.redis.emplace();
  return RenderMetrics(snapshot);
}

// "| `name` | type | " by family, and its help.
std::map<std::string, std::string> Families() {
  std::map<std::string, std::string> types;
  std::map<std::string, std::string> helps;
  for (const absl::string_view line : absl::StrSplit(Everything(), '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 3));
    if (words.size() == 4 && words[1] == "HELP") helps[words[2]] = words[3];
    if (words.size() == 4 && words[1] == "TYPE") types[words[2]] = words[3];
  }
  std::map<std::string, std::string> rows;
  for (const auto& [name, type] : types)
    rows[name] = absl::StrCat("| `", name, "` | ", type, " | ", helps[name], " |");
  return rows;
}

TEST_CASE("docs/metrics.md has every metric with its type and help") {
  const std::string document = Document();
  for (const auto& [name, row] : Families()) {
    INFO("docs/metrics.md lacks the line:\n" << row);
    CHECK(document.find(row + "\n") != std::string::npos);
  }
}

TEST_CASE("docs/metrics.md has no metric that is not published") {
  const std::string document = Document();
  const auto families = Families();
  for (size_t at = 0; (at = document.find("\n| `", at)) != std::string::npos; ++at) {
    const std::string name = document.substr(at + 4, document.find('`', at + 4) - at - 4);
    INFO(name);
    CHECK(families.count(name) == 1);
  }
}

}  // namespace
}  // namespace tarn::server
