#include "client/cli/text.h"

#include <string>

#include "tests/catch.h"

namespace tarn::cli {
namespace {

using std::chrono::milliseconds;

TEST_CASE("UTF-8 is what the standard says, and nothing shorter, longer or half") {
  for (const char* valid : {"", "plain", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x90\x9f",
                            "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    CHECK(IsUtf8(valid));
  }
  for (const char* invalid :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xc3(", "\xff"}) {
    CHECK_FALSE(IsUtf8(invalid));
  }
}

TEST_CASE("any bytes can be escaped to one printable line and brought back") {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  all += "\xe2\x82\xac and a \\ \"quoted\" word";
  const std::string escaped = Escape(all);
  CHECK(escaped.find('\n') == std::string::npos);
  CHECK(escaped.find('\0') == std::string::npos);
  CHECK(IsUtf8(escaped));
  CHECK(Unescape(escaped) == all);
  CHECK(Escape("a\tb\\\n\r\x01\x7f\xff\xe2\x82\xac") ==
        "a\\tb\\\\\\n\\r\\x01\\x7f\\xff\xe2\x82\xac");
}

TEST_CASE("an escape that does not exist is no text") {
  CHECK(Unescape("\\\"\\'") == "\"'");
  for (const char* bad : {"\\", "\\q", "\\x", "\\x1", "\\xg0"}) CHECK_FALSE(Unescape(bad));
}

TEST_CASE("hexadecimal goes both ways, in either case") {
  CHECK(HexEncode(std::string("\x00\xfe", 2)) == "00fe");
  CHECK(HexDecode("00Fe") == std::string("\x00\xfe", 2));
  CHECK(HexDecode("") == "");
  for (const char* bad : {"0", "0g", "g0", "123", " 12"}) CHECK_FALSE(HexDecode(bad));
}

TEST_CASE("a string of JSON escapes what JSON wants escaped") {
  CHECK(JsonString("a\"b\\c\n\x01\xc3\xa4") == "\"a\\\"b\\\\c\\u000a\\u0001\xc3\xa4\"");
}

TEST_CASE("spans of time are numbers with units") {
  CHECK(ParseDuration("5s") == milliseconds(5000));
  CHECK(ParseDuration("250ms") == milliseconds(250));
  CHECK(ParseDuration("1h30m") == milliseconds(5'400'000));
  CHECK(ParseDuration("7d") == milliseconds(604'800'000));
  CHECK(ParseDuration("1d2h3m4s5ms") == milliseconds(93'784'005));
  CHECK(ParseDuration("0s") == milliseconds(0));
  for (const char* bad : {"", "5", "s", "-5s", "5 s", "5x", "1.5s", "5s ", "99999999999999999999s",
                          "9223372036854775807d", "106751991167d106751991167d"}) {
    INFO(bad);
    CHECK_FALSE(ParseDuration(bad));
  }
  for (const char* text : {"1d2h3m4s5ms", "1h", "250ms"}) {
    CHECK(FormatDuration(*ParseDuration(text)) == text);
  }
  CHECK(FormatDuration(milliseconds(0)) == "0s");
}

TEST_CASE("numbers, sizes and times are written for people") {
  CHECK(FormatCount(0) == "0");
  CHECK(FormatCount(999) == "999");
  CHECK(FormatCount(1'234'567) == "1,234,567");
  CHECK(FormatBytes(1023) == "1023 B");
  CHECK(FormatBytes(1536) == "1.5 KiB");
  CHECK(FormatBytes(uint64_t{3} << 30) == "3.0 GiB");
  CHECK(FormatBytes(UINT64_MAX) == "16384.0 PiB");
  CHECK(FormatTime(Timestamp(milliseconds(1'577'836'800'123))) == "2020-01-01T00:00:00.123Z");
}

}  // namespace
}  // namespace tarn::cli
