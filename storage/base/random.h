// Where randomness comes from. Injected, so that tests can repeat a run.
#pragma once

#include <cstdint>
#include <string>

namespace tarn::base {

// Thread-safe.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  // Uniform over all 64-bit numbers.
  virtual uint64_t Next() = 0;
};

// The kernel's generator: fit for identities.
RandomSource& SystemRandom();

// `bytes` random bytes in lower-case hexadecimal.
std::string RandomHex(RandomSource& random, int bytes);

}  // namespace tarn::base
