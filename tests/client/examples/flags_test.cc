#include "client/examples/flags.h"

#include "tests/catch.h"

namespace window_demo {
namespace {

TEST_CASE("flags have values in any order, and defaults") {
  const Flags flags = *Flags::Parse({"--n", "7", "--log", "file"}, {"log", "n", "m"});
  CHECK(flags.Text("log", "") == "file");
  CHECK(flags.Text("other", "default") == "default");
  CHECK(flags.Number("n", 1, 0).value() == 7);
  CHECK(flags.Number("m", 1, 0).value() == 1);
}

TEST_CASE("an argument that is no flag, an unknown flag and one without a value are named") {
  const auto message = [](const std::vector<std::string>& arguments) {
    return std::string(Flags::Parse(arguments, {"log"}).status().message());
  };
  CHECK(message({"log", "file"}) == "unknown argument log");
  CHECK(message({"--lag", "file"}) == "unknown argument --lag");
  CHECK(message({"--log"}) == "--log needs a value");
}

TEST_CASE("a number that is none, or too small, is named") {
  const Flags flags = *Flags::Parse({"--a", "x", "--b", "-1"}, {"a", "b"});
  CHECK(flags.Number("a", 0, 0).status().message() == "--a needs an integer of at least 0, not x");
  CHECK(flags.Number("b", 0, 0).status().message() == "--b needs an integer of at least 0, not -1");
  CHECK(flags.Number("b", 0, -1).value() == -1);
}

}  // namespace
}  // namespace window_demo
