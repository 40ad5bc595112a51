#include "storage/rocksdb/crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace tarn::storage::rocks {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // Castagnoli's, reflected.

// kTables[n][byte] is the checksum of `byte` followed by n zero bytes: eight bytes are looked up at
// once.
using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables MakeTables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t n = 1; n < tables.size(); ++n) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[n - 1][byte];
      tables[n][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

uint32_t ExtendByEight(uint32_t crc, const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof(word));  // Little-endian: checked in coding.h.
  word ^= crc;
  uint32_t result = 0;
  for (size_t i = 0; i < 8; ++i) result ^= kTables[7 - i][(word >> (8 * i)) & 0xff];
  return result;
}

}  // namespace

uint32_t ExtendCrc32c(uint32_t crc, absl::string_view bytes) {
  crc = ~crc;
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) crc = ExtendByEight(crc, bytes.data() + i);
  for (; i < bytes.size(); ++i) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<unsigned char>(bytes[i])) & 0xff];
  }
  return ~crc;
}

}  // namespace tarn::storage::rocks
