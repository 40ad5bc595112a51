#include "storage/base/checksum.h"

#include "tests/catch.h"

namespace tarn::base {
namespace {

// Known answers of XXH3 as published: they are in files, so they may never change.
TEST_CASE("checksums are XXH3's") {
  CHECK(Checksum64("") == 0x2d06800538d394c2);
  CHECK(Checksum128("") == Hash128{0x99aa06d3014798d8, 0x6001c324468d497f});
}

TEST_CASE("a checksum depends on every bit, on the length and on the seed") {
  CHECK(Checksum64("tarn") != Checksum64("tarm"));
  CHECK(Checksum64("tarn") != Checksum64(absl::string_view("tarn\0", 5)));
  CHECK(Checksum64("tarn") != Checksum64("tarn", 1));
  CHECK_FALSE(Checksum128("tarn") == Checksum128("tarm"));
}

}  // namespace
}  // namespace tarn::base
