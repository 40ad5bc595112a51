#include "storage/namespace_record.h"

#include <limits>
#include <string>

#include "absl/strings/escaping.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using testing::Value;

NamespaceRecord Sample() {
  return {.id = 300,
          .settings = {.default_ttl_ms = 60'000,
                       .quota = {.max_entries = 1000, .max_bytes = 1 << 20},
                       .placement = Placement::kTogether},
          .create_time = 1'700'000'000'000};
}

constexpr char kGolden[] = "01ac02e0d403e8078080400280d095ffbc31";

std::string DecodeBrief(absl::string_view hex) {
  return Brief(DecodeNamespaceRecord(absl::HexStringToBytes(hex)));
}

TEST_CASE("the record of a namespace has golden bytes") {
  CHECK(absl::BytesToHexString(EncodeNamespaceRecord(Sample())) == kGolden);
}

TEST_CASE("the record of a namespace comes back") {
  const NamespaceRecord record = Value(DecodeNamespaceRecord(absl::HexStringToBytes(kGolden)));
  CHECK(record.id == 300);
  CHECK(record.settings.default_ttl_ms == 60'000);
  CHECK(record.settings.quota.max_entries == 1000);
  CHECK(record.settings.quota.max_bytes == 1 << 20);
  CHECK(record.settings.placement == Placement::kTogether);
  CHECK(record.create_time == 1'700'000'000'000);
}

TEST_CASE("a record that is cut off, longer, or of another version is refused") {
  const std::string whole = absl::HexStringToBytes(kGolden);
  for (size_t size = 0; size < whole.size(); ++size) {
    CHECK(Brief(DecodeNamespaceRecord(whole.substr(0, size))) == "DATA_LOSS DATA_LOSS");
  }
  CHECK(Brief(DecodeNamespaceRecord(whole + '\0')) == "DATA_LOSS DATA_LOSS");
  CHECK(DecodeBrief("02ac02e0d403e8078080400280d095ffbc31") == "FAILED_PRECONDITION");
}

TEST_CASE("a record with a number or a placement that none can have is refused") {
  CHECK(DecodeBrief("010000000001"
                    "00") == "DATA_LOSS DATA_LOSS");  // The system's number.
  CHECK(DecodeBrief("01ffff0300000001"
                    "00") == "DATA_LOSS DATA_LOSS");  // Nowhere's.
  CHECK(DecodeBrief("010100000000"
                    "00") == "DATA_LOSS DATA_LOSS");                                // No placement.
  CHECK(DecodeBrief("0101ffffffffffffffffff0100000100") == "DATA_LOSS DATA_LOSS");  // Negative.
  CHECK(DecodeBrief("010100000001"
                    "00") == "OK");
}

TEST_CASE("a namespace's name is lower case, digits, dots, underscores and hyphens") {
  for (const char* name : {"a", "0", "default", "my.app_1-x", "9lives"}) {
    CHECK(CheckNamespaceName(name).ok());
  }
  for (const char* name :
       {"", "A", "aB", ".a", "-a", "_a", "a b", "a/b", "a:b", "\xc3\xa4", "a*"}) {
    CHECK(Brief(CheckNamespaceName(name)) == "INVALID_ARGUMENT INVALID_NAMESPACE_NAME");
  }
  CHECK(CheckNamespaceName(std::string(63, 'a')).ok());
  CHECK_FALSE(CheckNamespaceName(std::string(64, 'a')).ok());
  CHECK_FALSE(CheckNamespaceName(absl::string_view("a\0b", 3)).ok());
}

TEST_CASE("settings that make no sense are refused") {
  const Limits limits;
  CHECK(CheckNamespaceSettings({.default_ttl_ms = limits.max_ttl_ms}, limits).ok());
  CHECK(Brief(CheckNamespaceSettings({.default_ttl_ms = -1}, limits)) ==
        "INVALID_ARGUMENT INVALID_TTL");
  CHECK(Brief(CheckNamespaceSettings({.default_ttl_ms = limits.max_ttl_ms + 1}, limits)) ==
        "INVALID_ARGUMENT INVALID_TTL");
  CHECK(Brief(CheckNamespaceSettings({.quota = {.max_entries = -1}}, limits)) ==
        "INVALID_ARGUMENT INVALID_REQUEST");
  CHECK(Brief(CheckNamespaceSettings({.quota = {.max_bytes = -1}}, limits)) ==
        "INVALID_ARGUMENT INVALID_REQUEST");
  CHECK(Brief(CheckNamespaceSettings({.placement = static_cast<Placement>(3)}, limits)) ==
        "INVALID_ARGUMENT INVALID_REQUEST");
}

}  // namespace
}  // namespace tarn::storage
