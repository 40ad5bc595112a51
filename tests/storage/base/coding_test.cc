#include "storage/base/coding.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "tests/catch.h"

namespace tarn::base {
namespace {

std::string Hex(const std::string& bytes) { return absl::BytesToHexString(bytes); }

std::string Varint(uint64_t value) {
  std::string bytes;
  AppendVarint64(&bytes, value);
  return bytes;
}

// What comes of decoding a varint: the number and how much is left, or nothing.
std::string DecodeVarint(const std::string& hex) {
  const std::string bytes = absl::HexStringToBytes(hex);
  absl::string_view rest = bytes;
  const auto value = ConsumeVarint64(&rest);
  if (!value)
    return rest.size() == bytes.size() ? "malformed" : "malformed, yet something was taken";
  return std::to_string(*value) + ", " + std::to_string(rest.size()) + " left";
}

TEST_CASE("fixed-width integers are big-endian") {
  std::string bytes;
  AppendFixed32(&bytes, 0x01020304);
  AppendFixed64(&bytes, 0x05060708090a0b0c);
  CHECK(Hex(bytes) == "0102030405060708090a0b0c");
  CHECK(DecodeFixed32(bytes.data()) == 0x01020304);
  CHECK(DecodeFixed64(bytes.data() + 4) == 0x05060708090a0b0c);
}

TEST_CASE("fixed-width integers are taken off the front") {
  const std::string bytes = absl::HexStringToBytes("00000007000000000000000900");
  absl::string_view rest = bytes;
  CHECK(ConsumeFixed32(&rest) == 7U);
  CHECK(ConsumeFixed64(&rest) == 9U);
  CHECK(rest.size() == 1);
}

TEST_CASE("a fixed-width integer that is cut off is not taken") {
  const std::string bytes(7, '\0');
  absl::string_view rest = bytes;
  CHECK_FALSE(ConsumeFixed64(&rest));
  CHECK(rest.size() == 7);
  rest = rest.substr(4);
  CHECK_FALSE(ConsumeFixed32(&rest));
  CHECK(rest.size() == 3);
}

TEST_CASE("varints have golden bytes") {
  CHECK(Hex(Varint(0)) == "00");
  CHECK(Hex(Varint(127)) == "7f");
  CHECK(Hex(Varint(128)) == "8001");
  CHECK(Hex(Varint(300)) == "ac02");
  CHECK(Hex(Varint(std::numeric_limits<uint64_t>::max())) == "ffffffffffffffffff01");
}

TEST_CASE("every varint comes back") {
  for (int bit = 0; bit < 64; ++bit) {
    for (const uint64_t value :
         {uint64_t{1} << bit, (uint64_t{1} << bit) - 1, ~(uint64_t{1} << bit)}) {
      const std::string bytes = Varint(value);
      absl::string_view rest = bytes;
      CHECK(ConsumeVarint64(&rest) == value);
      CHECK(rest.empty());
    }
  }
}

TEST_CASE("a number has one varint encoding only") {
  CHECK(DecodeVarint("0005") == "0, 1 left");
  CHECK(DecodeVarint("8000") == "malformed");
  CHECK(DecodeVarint("ff8000") == "malformed");
}

TEST_CASE("a varint that is cut off, too long or too large is malformed") {
  CHECK(DecodeVarint("") == "malformed");
  CHECK(DecodeVarint("80") == "malformed");
  CHECK(DecodeVarint("ffffffffffffffffff02") == "malformed");
  CHECK(DecodeVarint("ffffffffffffffffffff01") == "malformed");
  CHECK(DecodeVarint("ffffffffffffffffff01") == "18446744073709551615, 0 left");
}

TEST_CASE("length-prefixed bytes come back and leave the rest") {
  std::string bytes;
  AppendLengthPrefixed(&bytes, "");
  AppendLengthPrefixed(&bytes, std::string(200, 'x'));
  bytes += "rest";
  absl::string_view rest = bytes;
  CHECK(ConsumeLengthPrefixed(&rest)->empty());
  CHECK(ConsumeLengthPrefixed(&rest)->size() == 200);
  CHECK(rest == "rest");
}

TEST_CASE("a length beyond what is there takes nothing") {
  for (const std::string hex : {"0561", "ffffffffffffffffff0161", "80"}) {
    const std::string bytes = absl::HexStringToBytes(hex);
    absl::string_view rest = bytes;
    CHECK_FALSE(ConsumeLengthPrefixed(&rest));
    CHECK(rest.size() == bytes.size());
  }
}

}  // namespace
}  // namespace tarn::base
