// Adding to 64-bit integers in canonical decimal text.
#include <cstdint>
#include <limits>
#include <string>

#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

TEST_CASE("A sum is stored in canonical form") {
  Subject subject;
  for (const int64_t number :
       {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{10}, int64_t{-100}, kMax, kMin}) {
    subject.Do(Delete("k"));
    CHECK(subject.Do(Add("k", number)).number == number);
    CHECK(subject.Do(Get("k")).value == std::to_string(number));
  }
}

TEST_CASE("Adding goes up and down through zero") {
  Subject subject;
  subject.MustDo(Put("k", "-3"));
  CHECK(subject.Do(Add("k", 3)).number == 0);
  CHECK(subject.Do(Get("k")).value == "0");
  CHECK(subject.Do(Add("k", 12)).number == 12);
  CHECK(subject.Do(Add("k", -13)).number == -1);
}

TEST_CASE("Adding zero to nothing makes an entry") {
  Subject subject;
  CHECK(subject.Do(Add("k", 0)).revision != 0);
  CHECK(subject.Do(Get("k")).value == "0");
}

TEST_CASE("The ends of the range can be reached and left again") {
  Subject subject;
  subject.MustDo(Put("k", std::to_string(kMax - 1)));
  CHECK(subject.Do(Add("k", 1)).number == kMax);
  CHECK(subject.Do(Add("k", kMin)).number == -1);
  CHECK(subject.Do(Add("k", kMin + 1)).number == kMin);
  CHECK(subject.Do(Add("k", kMax)).number == -1);
}

TEST_CASE("A sum beyond either end is refused and changes nothing") {
  Subject subject;
  const Revision high = subject.MustDo(Put("high", std::to_string(kMax)));
  const Revision low = subject.MustDo(Put("low", std::to_string(kMin)));
  for (const int64_t delta : {int64_t{1}, kMax}) {
    CHECK(Why(subject.Do(Add("high", delta))) == "OUT_OF_RANGE INTEGER_OVERFLOW");
  }
  for (const int64_t delta : {int64_t{-1}, kMin}) {
    CHECK(Why(subject.Do(Add("low", delta))) == "OUT_OF_RANGE INTEGER_OVERFLOW");
  }
  CHECK(subject.Do(Get("high")).revision == high);
  CHECK(subject.Do(Get("low")).revision == low);
}

TEST_CASE("A value that is not an integer in canonical form is refused and stays") {
  Subject subject;
  for (const std::string value : {"",
                                  " ",
                                  "x",
                                  "1x",
                                  "x1",
                                  " 1",
                                  "1 ",
                                  "+1",
                                  "01",
                                  "-0",
                                  "-01",
                                  "00",
                                  "-",
                                  "--1",
                                  "1.0",
                                  "1e3",
                                  "0x10",
                                  "9223372036854775808",
                                  "-9223372036854775809",
                                  "123456789012345678901234567890",
                                  "1\n"}) {
    INFO(Show(value));
    subject.MustDo(Put("k", value));
    CHECK(Why(subject.Do(Add("k", 1))) == "FAILED_PRECONDITION NOT_AN_INTEGER");
    CHECK(subject.Do(Get("k")).value == value);
  }
  subject.MustDo(Put("k", std::string("1\0", 2)));
  CHECK(Why(subject.Do(Add("k", 1))) == "FAILED_PRECONDITION NOT_AN_INTEGER");
}

TEST_CASE("Adding zero to what is not an integer is refused too") {
  Subject subject;
  subject.MustDo(Put("k", "text"));
  CHECK(Why(subject.Do(Add("k", 0))) == "FAILED_PRECONDITION NOT_AN_INTEGER");
}

}  // namespace
}  // namespace tarn::testing
