#include "storage/client_record.h"

#include <string>

#include "absl/strings/escaping.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using testing::Value;

constexpr char kGolden[] =
    "01026162"
    "80d095ffbc31"
    "ac02";

TEST_CASE("the record of a client has golden bytes") {
  const ClientRecord record{.store_id = "ab", .issue_time = 1'700'000'000'000, .floor = 300};
  CHECK(absl::BytesToHexString(EncodeClientRecord(record)) == kGolden);
}

TEST_CASE("the record of a client comes back") {
  const ClientRecord record = Value(DecodeClientRecord(absl::HexStringToBytes(kGolden)));
  CHECK(record.store_id == "ab");
  CHECK(record.issue_time == 1'700'000'000'000);
  CHECK(record.floor == 300);
}

TEST_CASE("a client's record that is cut off, longer, or of another version is refused") {
  const std::string whole = absl::HexStringToBytes(kGolden);
  for (size_t size = 0; size < whole.size(); ++size) {
    CHECK(Brief(DecodeClientRecord(whole.substr(0, size))) == "DATA_LOSS DATA_LOSS");
  }
  CHECK(Brief(DecodeClientRecord(whole + '\0')) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(DecodeClientRecord("\x02" + whole.substr(1))) == "FAILED_PRECONDITION");
}

TEST_CASE("the key of a client leads back to its id, and others lead nowhere") {
  CHECK(absl::BytesToHexString(ClientKey((uint64_t{1} << 40) | 7)) ==
        "636c69656e742f0000010000000007");
  CHECK(ParseClientKey(ClientKey(12345)) == 12345);
  CHECK(!ParseClientKey("client/"));
  CHECK(!ParseClientKey(ClientKey(1) + "x"));
  CHECK(!ParseClientKey("ns/12345678"));
}

}  // namespace
}  // namespace tarn::storage
