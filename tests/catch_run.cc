#include <cstdlib>

#include "tests/catch.h"

namespace tarn::testing {
namespace {

std::uint32_t run_seed = 0;

}  // namespace

std::uint32_t Seed() { return run_seed; }

void SetSeed(std::uint32_t seed) { run_seed = seed; }

bool Soak() {
  const char* value = std::getenv("TARN_SOAK");
  return value != nullptr && *value != '\0' && *value != '0';
}

}  // namespace tarn::testing
