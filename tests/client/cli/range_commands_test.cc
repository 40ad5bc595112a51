// scan, count and clear.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/client/cli/terminal.h"

namespace tarn::cli {
namespace {

struct Filled : Terminal {
  explicit Filled(const std::vector<std::string>& keys = {"a/1", "a/2", "b"}) {
    for (const std::string& key : keys) REQUIRE(Run({"put", key, "v" + key}).code == 0);
  }
};

TEST_CASE("a scan prints a key, a tab and a value on each line") {
  Filled t;
  CHECK(t.Run({"scan"}).out == "a/1\tva/1\na/2\tva/2\nb\tvb\n");
  CHECK(t.Run({"scan", "--prefix", "a/"}).out == "a/1\tva/1\na/2\tva/2\n");
  CHECK(t.Run({"scan", "--start", "a/2", "--end", "b"}).out == "a/2\tva/2\n");
  CHECK(t.Run({"scan", "--reverse", "--limit", "2", "--keys-only"}).out == "b\na/2\n");
  CHECK(t.Run({"scan", "--prefix", "none"}).out.empty());
}

TEST_CASE("bytes that would break a line are escaped in it") {
  Terminal t;
  REQUIRE(t.Run({"put", "tab\tkey", "two\nlines"}).code == 0);
  CHECK(t.Run({"scan"}).out == "tab\\tkey\ttwo\\nlines\n");
  CHECK(t.Run({"scan", "--hex", "--keys-only"}).out == "746162096b6579\n");
}

TEST_CASE("a table is aligned, and JSON has an object on each line") {
  Filled t({"k", "longer"});
  const std::string table = t.Run({"-w", "table", "scan", "--keys-only"}).out;
  CHECK(table.rfind("KEY     REVISION", 0) == 0);
  CHECK(Says(table, "\nk       "));
  CHECK(Says(table, "\nlonger  "));
  const std::string json = t.Run({"-w", "json", "scan", "--keys-only"}).out;
  CHECK(json.rfind(R"({"key":"k","revision":")", 0) == 0);
  CHECK(std::count(json.begin(), json.end(), '\n') == 2);
  CHECK_FALSE(Says(json, "value"));
}

TEST_CASE("a table of any length keeps the widths of its beginning") {
  Terminal t;
  for (int i = 0; i < 1200; ++i) {
    REQUIRE(t.Run({"put", "key" + std::to_string(10'000 + i), "v"}).code == 0);
  }
  const std::string table = t.Run({"-w", "table", "scan", "--keys-only"}).out;
  CHECK(std::count(table.begin(), table.end(), '\n') == 1201);
  CHECK(Says(table, "\nkey11199  "));
}

TEST_CASE("a scan that fails half-way prints what it has read, and fails") {
  Filled t;
  t.store->FailNext("Scan",
                    MakeError(absl::StatusCode::kAborted, Reason::kSnapshotExpired, "gone"));
  const Outcome failed = t.Run({"scan"});
  CHECK(failed.code == 3);
  CHECK(Says(failed.err, "SNAPSHOT_EXPIRED"));
}

TEST_CASE("count prints the number") {
  Filled t;
  CHECK(t.Run({"count"}).out == "3\n");
  CHECK(t.Run({"count", "--prefix", "a/"}).out == "2\n");
  CHECK(Says(t.Run({"count", "-w", "json"}).out, R"({"count":3,"revision":")"));
}

TEST_CASE("clear removes what it is told to, and prints how many") {
  Filled t;
  CHECK(t.Run({"clear", "--prefix", "a/"}).out == "2\n");
  CHECK(t.Run({"scan", "--keys-only"}).out == "b\n");
  CHECK(t.Run({"clear", "--all"}).out == "1\n");
  CHECK(t.Run({"count"}).out == "0\n");
}

TEST_CASE("clear does not guess") {
  Filled t;
  CHECK(t.Run({"clear"}).code == 2);
  CHECK(t.Run({"clear", "--all", "--prefix", "a/"}).code == 2);
  CHECK(t.Run({"count"}).out == "3\n");
}

TEST_CASE("on a terminal clear asks first, unless it is told not to") {
  Filled t;
  t.in_kind = Stream::kTerminal;
  const Outcome asked = t.Run({"clear", "--prefix", "a/"}, "n\n");
  CHECK(asked.code != 0);
  CHECK(Says(asked.err, "Remove the entries of the namespace default that begin with a/?"));
  CHECK(t.Run({"clear", "--all"}, "").code != 0);
  CHECK(t.Run({"count"}).out == "3\n");
  CHECK(t.Run({"clear", "--start", "a/2", "--end", "b"}, "y\n").out == "1\n");
  CHECK(t.Run({"clear", "--all", "--yes"}).out == "2\n");
}

TEST_CASE("ranges that contradict themselves are refused") {
  Terminal t;
  for (const std::string command : {"scan", "count", "clear"}) {
    CHECK(t.Run({command, "--prefix", "a", "--start", "b"}).code == 2);
    CHECK(t.Run({command, "--start", "b", "--end", "a"}).code == 2);
    CHECK(t.Run({command, "--hex", "--prefix", "xx"}).code == 2);
  }
  CHECK(t.Run({"scan", "--limit", "0"}).code == 2);
}

}  // namespace
}  // namespace tarn::cli
