// Which of a cluster's slots a key belongs to, as Redis Cluster defines it.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace tarn::storage::redis {

inline constexpr int kSlots = 16384;

// CRC-16/XMODEM: polynomial 0x1021, initial value 0, nothing reflected.
uint16_t Crc16(absl::string_view bytes);

// The slot of a key. When it holds a hash tag, that is what stands between the first '{' and the
// first '}' after it, and that is not empty, the tag alone decides.
uint16_t KeySlot(absl::string_view key);

}  // namespace tarn::storage::redis
