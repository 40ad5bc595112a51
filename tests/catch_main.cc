// main() of every test program: draws the seed and prints it, then runs Catch2.

#define CATCH_CONFIG_RUNNER
#include <unistd.h>

#include <csignal>
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

// In the middle of whatever does not end. Catch2 then tells which test that is, its INFOs, and the
// assertion before it.
void EndTheHang(int) {
  constexpr char kWhy[] =
      "the time for all of this program's tests is over; it hangs in this one\n";
  if (write(STDERR_FILENO, kWhy, sizeof(kWhy) - 1) > 0) std::abort();
}

// Under ctest: 10 s before it would kill the program, which would leave nothing to read.
void ArmAgainstHangs() {
  constexpr unsigned kBefore = 10;
  const char* const seconds = std::getenv("TARN_TEST_TIMEOUT");
  const unsigned timeout = seconds == nullptr ? 0 : std::strtoul(seconds, nullptr, 10);
  if (timeout <= kBefore) return;
  std::signal(SIGALRM, EndTheHang);
  alarm(timeout - kBefore);
}

}  // namespace

int main(int argc, char** argv) {
  Catch::Session session;
  session.configData().rngSeed = FirstSeed();
  if (const int failed = session.applyCommandLine(argc, argv); failed != 0) return failed;
  const std::uint32_t seed = session.configData().rngSeed;
  tarn::testing::SetSeed(seed);
  std::cerr << "seed " << seed << ", repeat with --rng-seed or TARN_SEED=" << seed << "\n";
  ArmAgainstHangs();
  return session.run();
}
