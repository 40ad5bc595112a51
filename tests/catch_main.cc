// main() of every test program: draws the seed and prints it, then runs Catch2.

#define CATCH_CONFIG_RUNNER
#include <iostream>
#include <random>

#include "tests/catch.h"

int main(int argc, char** argv) {
  Catch::Session session;
  session.configData().rngSeed = std::random_device{}() | 1U;
  if (const int failed = session.applyCommandLine(argc, argv); failed != 0) return failed;
  const std::uint32_t seed = session.configData().rngSeed;
  tarn::testing::SetSeed(seed);
  std::cerr << "seed " << seed << ", repeat with --rng-seed " << seed << "\n";
  return session.run();
}
