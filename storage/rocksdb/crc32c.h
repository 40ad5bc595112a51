// CRC-32C, as RocksDB's log files hold it.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace tarn::storage::rocks {

// Of what `crc` is the checksum of, followed by `bytes`. Begin with 0.
uint32_t ExtendCrc32c(uint32_t crc, absl::string_view bytes);

// Files hold a checksum in this form, so that checksums of data that hold checksums stay sound.
constexpr uint32_t MaskCrc32c(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8U; }

}  // namespace tarn::storage::rocks
