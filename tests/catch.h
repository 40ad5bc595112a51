// Catch2, version 2 (Debian 12) or 3 (Debian 13). Tests include this and nothing else of Catch2.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#define CATCH_CONFIG_ENABLE_ALL_STRINGMAKERS
#include <catch2/catch.hpp>
#endif

#include <cstdint>

namespace tarn::testing {

// The seed of this run, printed at its start. Every random test draws from it, so `--rng-seed N`
// repeats the run.
std::uint32_t Seed();
void SetSeed(std::uint32_t seed);  // main() only

// True in `make soak`: run the large counts.
bool Soak();

// `soak` in a soak run, `normal` otherwise.
inline std::uint64_t Count(std::uint64_t normal, std::uint64_t soak) {
  return Soak() ? soak : normal;
}

}  // namespace tarn::testing
