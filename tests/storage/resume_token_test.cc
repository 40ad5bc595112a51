#include "storage/resume_token.h"

#include <string>

#include "absl/strings/escaping.h"
#include "storage/base/checksum.h"
#include "storage/base/coding.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using testing::Value;

const ResumeTokenCodec kCodec(std::string(32, 'a'));

ResumeToken Sample() {
  return {.session = 0x1122334455667788,
          .ns = 7,
          .request_digest = 0x99aabbccddeeff00,
          .last_key = std::string("k\0\xff", 3)};
}

TEST_CASE("a resume token has golden bytes") {
  CHECK(absl::BytesToHexString(kCodec.Encode(Sample())) ==
        "0111223344556677880000000799aabbccddeeff00036b00ff"
        "4e8d86dee5f73a0e");
}

TEST_CASE("a resume token comes back") {
  const ResumeToken token = Value(kCodec.Decode(kCodec.Encode(Sample())));
  CHECK(token.session == Sample().session);
  CHECK(token.ns == 7);
  CHECK(token.request_digest == Sample().request_digest);
  CHECK(token.last_key == Sample().last_key);
}

TEST_CASE(
    "a token with any bit flipped, cut off anywhere, or with something behind it is refused") {
  const std::string whole = kCodec.Encode(Sample());
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    CHECK(Brief(kCodec.Decode(flipped)) == "INVALID_ARGUMENT INVALID_RESUME_TOKEN");
  }
  for (size_t size = 0; size < whole.size(); ++size) {
    CHECK(Brief(kCodec.Decode(whole.substr(0, size))) == "INVALID_ARGUMENT INVALID_RESUME_TOKEN");
  }
  CHECK(Brief(kCodec.Decode(whole + '\0')) == "INVALID_ARGUMENT INVALID_RESUME_TOKEN");
}

// Somebody who knows how the checksum is made can do no harm either.
TEST_CASE("a token whose checksum fits, but whose fields do not, is refused") {
  const std::string whole = kCodec.Encode(Sample());
  const std::string fields = whole.substr(0, whole.size() - 8);
  for (const std::string& forged :
       {fields.substr(0, 5), fields.substr(0, fields.size() - 1), fields + "x"}) {
    std::string bytes = forged;
    base::AppendFixed64(&bytes, base::Checksum64(forged, base::Checksum64(std::string(32, 'a'))));
    CHECK(Brief(kCodec.Decode(bytes)) == "INVALID_ARGUMENT INVALID_RESUME_TOKEN");
  }
}

TEST_CASE("a token of another store is refused") {
  const ResumeTokenCodec other(std::string(32, 'b'));
  CHECK(Brief(kCodec.Decode(other.Encode(Sample()))) == "INVALID_ARGUMENT INVALID_RESUME_TOKEN");
}

TEST_CASE("a scan's digest depends on everything that a continuation must share") {
  const KeyRange range{.ns = 1, .start = "a", .end = "z"};
  const uint64_t digest = DigestOfScan("orders", range, {});
  CHECK(digest == DigestOfScan("orders", {.ns = 9, .start = "a", .end = "z"}, {}));
  CHECK(digest != DigestOfScan("orders2", range, {}));
  CHECK(digest != DigestOfScan("orders", {.ns = 1, .start = "b", .end = "z"}, {}));
  CHECK(digest != DigestOfScan("orders", {.ns = 1, .start = "a", .end = "y"}, {}));
  CHECK(digest != DigestOfScan("orders", {.ns = 1, .start = "az", .end = ""}, {}));
  CHECK(digest != DigestOfScan("orders", range, {.direction = ScanDirection::kDescending}));
  CHECK(digest != DigestOfScan("orders", range, {.content = ScanContent::kKeysOnly}));
}

}  // namespace
}  // namespace tarn::storage
