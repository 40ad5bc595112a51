#include "storage/key_range.h"

#include <string>

#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using testing::Value;

absl::StatusOr<KeyRange> Range(const KeyBounds& bounds) { return ToKeyRange(3, bounds, {}); }

TEST_CASE("the end of a prefix is the first key behind all that begin with it") {
  CHECK(PrefixEnd("a") == "b");
  CHECK(PrefixEnd("a\xff") == "b");
  CHECK(PrefixEnd("a\xff\xff"
                  "c") ==
        "a\xff\xff"
        "d");
  CHECK(PrefixEnd("\x7f") == "\x80");
  CHECK(PrefixEnd("\xff\xff").empty());
  CHECK(PrefixEnd("").empty());
}

TEST_CASE("bounds become a range of their namespace") {
  const KeyRange all = Value(Range({}));
  CHECK(all.ns == 3);
  CHECK(all.start.empty());
  CHECK(all.end.empty());
  const KeyRange prefix = Value(Range({.prefix = "user:"}));
  CHECK(prefix.start == "user:");
  CHECK(prefix.end == "user;");
  const KeyRange bounds = Value(Range({.start = "b", .end = "d"}));
  CHECK(bounds.start == "b");
  CHECK(bounds.end == "d");
}

TEST_CASE("wildcards in a prefix mean nothing") {
  const KeyRange range = Value(Range({.prefix = "a*?["}));
  CHECK(Contains(range, "a*?[x"));
  CHECK_FALSE(Contains(range, "abc["));
}

TEST_CASE("a prefix with a start or an end, and a start behind the end, are refused") {
  CHECK(Brief(Range({.prefix = "a", .start = "b"})) == "INVALID_ARGUMENT INVALID_RANGE");
  CHECK(Brief(Range({.prefix = "a", .end = "b"})) == "INVALID_ARGUMENT INVALID_RANGE");
  CHECK(Brief(Range({.start = "b", .end = "a"})) == "INVALID_ARGUMENT INVALID_RANGE");
  CHECK(Brief(Range({.start = "\x80", .end = "\x7f"})) == "INVALID_ARGUMENT INVALID_RANGE");
}

TEST_CASE("equal bounds are an empty range") {
  const KeyRange range = Value(Range({.start = "a", .end = "a"}));
  CHECK_FALSE(Contains(range, "a"));
}

TEST_CASE("a bound may be one byte longer than a key, and no more") {
  const std::string longest(4097, 'k');
  CHECK(Range({.start = longest}).ok());
  CHECK(Brief(Range({.start = longest + "k"})) == "INVALID_ARGUMENT INVALID_RANGE");
  CHECK(Brief(Range({.end = longest + "k"})) == "INVALID_ARGUMENT INVALID_RANGE");
  CHECK(Brief(Range({.prefix = longest + "k"})) == "INVALID_ARGUMENT INVALID_RANGE");
}

TEST_CASE("what is left behind a key begins right after it, in both directions") {
  const KeyRange range = Value(Range({.start = "a", .end = "z"}));
  const KeyRange up = RangeBehind(range, "k", ScanDirection::kAscending);
  CHECK_FALSE(Contains(up, "k"));
  CHECK(Contains(up, std::string("k\0", 2)));
  CHECK(up.end == "z");
  const KeyRange down = RangeBehind(range, "k", ScanDirection::kDescending);
  CHECK_FALSE(Contains(down, "k"));
  CHECK(Contains(down, "j\xff"));
  CHECK(down.start == "a");
}

}  // namespace
}  // namespace tarn::storage
