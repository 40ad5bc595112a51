#include "client/cli/batch_lines.h"

#include <string>
#include <vector>

#include "tests/catch.h"

namespace tarn::cli {
namespace {

using Words = std::vector<std::string>;

Words Split(std::string_view line) {
  const auto words = SplitWords(line);
  REQUIRE(words.ok());
  return *words;
}

Operation Parse(std::string_view line, Encoding encoding = Encoding::kText) {
  const auto operation = ParseOperation(Split(line), encoding);
  INFO(operation.status().ToString());
  REQUIRE(operation.ok());
  return *operation;
}

std::string WhyNot(std::string_view line, Encoding encoding = Encoding::kText) {
  const auto words = SplitWords(line);
  if (!words.ok()) return std::string(words.status().message());
  return std::string(ParseOperation(*words, encoding).status().message());
}

TEST_CASE("words are separated by blanks, and quotes keep them together") {
  CHECK(Split("  put\ta  b\r") == Words{"put", "a", "b"});
  CHECK(Split(R"(put "a b" "\x00\n\"" 'c "\n')") ==
        Words{"put", "a b", std::string("\0\n\"", 3), R"(c "\n)"});
  CHECK(Split(R"(put "" '' a\nb)") == Words{"put", "", "", R"(a\nb)"});
  CHECK(Split("").empty());
}

TEST_CASE("a quote that is not closed and an escape that does not exist are named") {
  CHECK(WhyNot("put \"a").find("not closed") != std::string::npos);
  CHECK(WhyNot("put 'a").find("not closed") != std::string::npos);
  CHECK(WhyNot(R"(put "a\")").find("not closed") != std::string::npos);
  CHECK(WhyNot(R"(put "\q")").find("escape") != std::string::npos);
}

TEST_CASE("each command becomes its operation") {
  const Operation put = Parse("put k v --ttl 5s --if-revision 7");
  CHECK(put.kind == OperationKind::kPut);
  CHECK((put.key == "k" && put.value == "v"));
  CHECK(put.ttl == Ttl::Of(std::chrono::seconds(5)));
  CHECK(put.precondition == Precondition::AtRevision(7));
  CHECK(Parse("get k").kind == OperationKind::kGet);
  CHECK(Parse("del k --if-present").precondition == Precondition::Present());
  CHECK(Parse("take k").kind == OperationKind::kTake);
  CHECK(Parse("incr k").delta == 1);
  CHECK(Parse("incr k 41 --if-absent").delta == 41);
  CHECK(Parse("incr k -- -5").delta == -5);
  CHECK(Parse("append k tail").value == "tail");
  CHECK(Parse("touch k --ttl never").ttl == Ttl::Never());
  CHECK(Parse("put 'k' \"\"").value.empty());
  CHECK(Parse("put 6b 0001", Encoding::kHex).value == std::string("\0\1", 2));
}

TEST_CASE("a line that is no operation says why") {
  CHECK(WhyNot("steal k").find("'steal' is none of") != std::string::npos);
  CHECK(WhyNot("put k").find("VALUE") != std::string::npos);
  CHECK(WhyNot("get").find("KEY") != std::string::npos);
  CHECK(WhyNot("touch k").find("--ttl") != std::string::npos);
  CHECK_FALSE(WhyNot("get k v").empty());
  CHECK_FALSE(WhyNot("get k --ttl 5s").empty());
  CHECK_FALSE(WhyNot("del k --if-absent").empty());
  CHECK_FALSE(WhyNot("put k v --ttl soon").empty());
  CHECK_FALSE(WhyNot("put k v --if-absent --if-present").empty());
  CHECK_FALSE(WhyNot("put k v --if-revision 0").empty());
  CHECK_FALSE(WhyNot("incr k x").empty());
  CHECK(WhyNot("get zz", Encoding::kHex).find("hexadecimal") != std::string::npos);
}

}  // namespace
}  // namespace tarn::cli
