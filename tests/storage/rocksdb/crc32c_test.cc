#include "storage/rocksdb/crc32c.h"

#include <numeric>
#include <string>

#include "tests/catch.h"

namespace tarn::storage::rocks {
namespace {

// The vectors of RFC 3720, B.4.
TEST_CASE("CRC-32C agrees with the published vectors") {
  CHECK(ExtendCrc32c(0, std::string(32, '\0')) == 0x8a9136aa);
  CHECK(ExtendCrc32c(0, std::string(32, '\xff')) == 0x62a8ab43);
  std::string rising(32, '\0');
  std::iota(rising.begin(), rising.end(), '\0');
  CHECK(ExtendCrc32c(0, rising) == 0x46dd794e);
  CHECK(ExtendCrc32c(0, std::string(rising.rbegin(), rising.rend())) == 0x113fdb5c);
  CHECK(ExtendCrc32c(0, "123456789") == 0xe3069283);
}

TEST_CASE("CRC-32C may be computed in pieces of any size") {
  const std::string bytes = "The quick brown fox jumps over the lazy dog";
  const uint32_t whole = ExtendCrc32c(0, bytes);
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    const uint32_t first = ExtendCrc32c(0, absl::string_view(bytes).substr(0, cut));
    CHECK(ExtendCrc32c(first, absl::string_view(bytes).substr(cut)) == whole);
  }
}

}  // namespace
}  // namespace tarn::storage::rocks
