// main() of every test program: draws the seed and prints it, then runs Catch2.

#define CATCH_CONFIG_RUNNER
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

#include "tests/catch.h"

namespace {

// TARN_SEED where no command line can be given, as under ctest; else a new one each time.
std::uint32_t FirstSeed() {
  const char* wanted = std::getenv("TARN_SEED");
  if (wanted != nullptr) return static_cast<std::uint32_t>(std::strtoul(wanted, nullptr, 10));
  return std::random_device{}() | 1U;
}

}  // namespace

int main(int argc, char** argv) {
  Catch::Session session;
  session.configData().rngSeed = FirstSeed();
  if (const int failed = session.applyCommandLine(argc, argv); failed != 0) return failed;
  const std::uint32_t seed = session.configData().rngSeed;
  tarn::testing::SetSeed(seed);
  std::cerr << "seed " << seed << ", repeat with --rng-seed or TARN_SEED=" << seed << "\n";
  return session.run();
}
