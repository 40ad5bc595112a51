#include "storage/redis/key_slot.h"

#include <string>

#include "tests/catch.h"

namespace tarn::storage::redis {
namespace {

TEST_CASE("the CRC is XMODEM's") {
  CHECK(Crc16("") == 0);
  CHECK(Crc16("123456789") == 0x31C3);  // The check value of the catalogue of CRCs.
  CHECK(Crc16(std::string("\0\xFF", 2)) == 0x1EF0);
}

TEST_CASE("a key without a hash tag is hashed whole") {
  CHECK(KeySlot("foo") == 12182);
  CHECK(KeySlot("bar") == 5061);
  CHECK(KeySlot("") == 0);
  CHECK(KeySlot("foo{}bar") == Crc16("foo{}bar") % kSlots);
  CHECK(KeySlot("foo{bar") == Crc16("foo{bar") % kSlots);
  CHECK(KeySlot("foo}{bar") == Crc16("foo}{bar") % kSlots);
}

TEST_CASE("of a key with a hash tag the first tag alone is hashed") {
  CHECK(KeySlot("{user1000}.following") == KeySlot("user1000"));
  CHECK(KeySlot("a{user1000}b{other}") == KeySlot("user1000"));
  CHECK(KeySlot("foo{{bar}}zap") == KeySlot("{bar"));
  CHECK(KeySlot("foo{}{bar}") == Crc16("foo{}{bar}") % kSlots);
}

}  // namespace
}  // namespace tarn::storage::redis
