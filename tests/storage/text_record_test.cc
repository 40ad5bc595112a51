#include "storage/text_record.h"

#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using testing::Value;

const char kGolden[] =
    "tarn-store 1\n"
    "id 0123456789abcdef0123456789abcdef\n"
    "engine memory\n"
    "checksum c487ec923897c321\n";

absl::StatusOr<std::vector<std::string>> Decode(absl::string_view content) {
  return DecodeTextRecord("store", {"id", "engine"}, content);
}

TEST_CASE("a record is text that people can read") {
  CHECK(EncodeTextRecord("store", {{"id", "0123456789abcdef0123456789abcdef"},
                                   {"engine", "memory"}}) == kGolden);
}

TEST_CASE("a record gives back its values") {
  CHECK(Value(Decode(kGolden)) ==
        std::vector<std::string>{"0123456789abcdef0123456789abcdef", "memory"});
}

TEST_CASE("a record of another kind is damage") {
  CHECK(Brief(DecodeTextRecord("clock", {"id", "engine"}, kGolden)) == "DATA_LOSS DATA_LOSS");
}

TEST_CASE("fields that are missing, unknown or in another order are damage") {
  CHECK(Brief(DecodeTextRecord("store", {"engine", "id"}, kGolden)) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(DecodeTextRecord("store", {"id"}, kGolden)) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(DecodeTextRecord("store", {"id", "engine", "size"}, kGolden)) ==
        "DATA_LOSS DATA_LOSS");
}

TEST_CASE("a record cut off anywhere, or with something behind it, is damage") {
  const std::string whole = kGolden;
  for (size_t size = 0; size < whole.size(); ++size)
    CHECK(Brief(Decode(whole.substr(0, size))) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(Decode(whole + "\n")) == "DATA_LOSS DATA_LOSS");
}

TEST_CASE("no single flipped bit gives a record") {
  const std::string whole = kGolden;
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    CHECK_FALSE(Decode(flipped).ok());
  }
}

TEST_CASE("a later format is refused by its number, not taken for damage") {
  const auto later = Decode(absl::StrReplaceAll(kGolden, {{"store 1", "store 2"}}));
  CHECK(Brief(later) == "FAILED_PRECONDITION");
  CHECK(later.status().message() == "it has format version 2, this program knows version 1 only");
}

}  // namespace
}  // namespace tarn::storage
