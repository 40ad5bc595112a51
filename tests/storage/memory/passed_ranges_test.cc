#include "storage/memory/passed_ranges.h"

#include "tests/catch.h"

namespace tarn::storage::memory {
namespace {

TEST_CASE("A key is passed when it is in a range, from its start to before its end") {
  PassedRanges passed;
  passed.Add(1, {5, "b", "d"});
  CHECK_FALSE(passed.Contain(1, 5, "a"));
  CHECK(passed.Contain(1, 5, "b"));
  CHECK(passed.Contain(1, 5, "c"));
  CHECK_FALSE(passed.Contain(1, 5, "d"));
  CHECK_FALSE(passed.Contain(1, 6, "c"));
}

TEST_CASE("A range without an end reaches the end of its namespace") {
  PassedRanges passed;
  passed.Add(1, {5, "b", ""});
  CHECK(passed.Contain(1, 5, "\xFF\xFF"));
  CHECK_FALSE(passed.Contain(1, 6, ""));
}

TEST_CASE("Ranges that touch become one, in whatever order they come") {
  PassedRanges passed;
  passed.Add(1, {5, "", "b"});
  passed.Add(1, {5, "c", "d"});
  CHECK(passed.size() == 2);
  CHECK_FALSE(passed.Contain(1, 5, "b"));
  passed.Add(1, {5, "b", "c"});
  CHECK(passed.size() == 1);
  CHECK(passed.Contain(1, 5, ""));
  CHECK(passed.Contain(1, 5, "b"));
  CHECK(passed.Contain(1, 5, "cz"));
  CHECK_FALSE(passed.Contain(1, 5, "d"));
}

TEST_CASE("The end of one namespace is not the start of the next one") {
  PassedRanges passed;
  passed.Add(1, {5, "b", ""});
  passed.Add(1, {6, "", "b"});
  CHECK(passed.size() == 2);
  CHECK_FALSE(passed.Contain(1, 5, "a"));
  CHECK(passed.Contain(1, 6, "a"));
}

TEST_CASE("What one snapshot has passed, another one has not") {
  PassedRanges passed;
  passed.Add(1, {5, "", ""});
  CHECK_FALSE(passed.Contain(2, 5, "a"));
  passed.Add(2, {5, "m", ""});
  CHECK_FALSE(passed.Contain(1, 5, "a"));
  CHECK_FALSE(passed.Contain(2, 5, "a"));
  CHECK(passed.Contain(2, 5, "n"));
}

}  // namespace
}  // namespace tarn::storage::memory
