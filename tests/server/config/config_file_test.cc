#include "server/config/config_file.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/catch.h"

namespace tarn::server {
namespace {

// "key=value,value@line ..." or the error.
std::string Parse(const std::string& content) {
  const auto settings = ParseConfigFile(content);
  if (!settings.ok()) return std::string(settings.status().message());
  std::vector<std::string> parts;
  for (const FileSetting& one : *settings) {
    parts.push_back(absl::StrCat(one.key, "=", absl::StrJoin(one.values, ","), "@", one.line));
  }
  return absl::StrJoin(parts, " ");
}

TEST_CASE("settings are key and value, bare or in quotes") {
  CHECK(Parse("engine = \"memory\"\nmax-scans=5\n  log-level = 'debug'  \n") ==
        "engine=memory@1 max-scans=5@2 log-level=debug@3");
}

TEST_CASE("comments and empty lines do not count") {
  CHECK(Parse("# first\n\nengine = \"memory\"  # here too\n   # and here\n") == "engine=memory@3");
  CHECK(Parse("").empty());
}

TEST_CASE("a value in quotes may hold spaces, commas and an equals sign") {
  CHECK(Parse("data-dir = \"/srv/my data, a=b\"\n") == "data-dir=/srv/my data, a=b@1");
}

TEST_CASE("an array has several values, on one line or more") {
  CHECK(Parse("admin-names = [\"a\", \"b\"]\n") == "admin-names=a,b@1");
  CHECK(Parse("admin-names = [\n  \"a\",\n  \"b\"\n]\nmax-scans = 5\n") ==
        "admin-names=a,b@1 max-scans=5@5");
}

TEST_CASE("everything else names its line") {
  CHECK(Parse("a = 1\nnonsense\n") == "line 2: not of the form key = value");
  CHECK(Parse("a b = 1\n") == "line 1: not of the form key = value");
  CHECK(Parse("= 1\n") == "line 1: not of the form key = value");
  CHECK(Parse("x\n") == "line 1: not of the form key = value");
  CHECK(Parse("[section]\na = 1\n") ==
        "line 1: there are no sections: write all keys at the top level");
  CHECK(Parse("a =\n") == "line 1: the value is missing");
  CHECK(Parse("a = # nothing\n") == "line 1: the value is missing");
  CHECK(Parse("a = \"open\n") == "line 1: the quotes are not closed");
  CHECK(Parse("a = \"x\" y\n") == "line 1: something follows the closing quotes");
  CHECK(Parse("a = \"x#y\"\n") == "line 1: a value cannot hold a #");
  CHECK(Parse("a = \"x\\ny\"\n") == "line 1: a value cannot hold a \\");
  CHECK(Parse("a = x\\y\n") == "line 1: a value cannot hold a \\");
  CHECK(Parse("a = [\"x\",\n\"y\\\"z\"]\n") == "line 2: an array cannot hold a \\");
  CHECK(Parse("a = [\"x\",\n\"y\"\n") == "line 1: the array is not closed");
  CHECK(Parse("a = [\"x\", # no\n\"y\"]\n") == "line 1: an array cannot hold a #");
  CHECK(Parse("a = 1\nb = 2\na = 3\n") == "line 3: \"a\" was set on line 1 already");
}

}  // namespace
}  // namespace tarn::server
