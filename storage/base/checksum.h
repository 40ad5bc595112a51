// Fast checksums against damage, not against malice: XXH3, whose results are fixed for good and the
// same on every machine.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace tarn::base {

struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;

  friend bool operator==(const Hash128&, const Hash128&) = default;
};

// XXH3-64. Different seeds give independent functions.
uint64_t Checksum64(absl::string_view bytes, uint64_t seed = 0);

// XXH3-128 with seed 0: for content that must not collide by chance.
Hash128 Checksum128(absl::string_view bytes);

}  // namespace tarn::base
