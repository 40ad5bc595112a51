// Random histories.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/limits.h"
#include "tests/model/steps.h"

namespace tarn::testing {

struct HistoryOptions {
  size_t steps = 1'000;
  bool reopen = false;  // Only for engines that are durable.
};

// The same for the same seed. The seed also decides how many keys and namespaces there are, how
// long entries live and what is frequent, so that histories differ in kind.
std::vector<Step> GenerateHistory(uint32_t seed, const HistoryOptions& options);

// Small enough that random batches meet them.
storage::Limits ModelLimits();
inline constexpr size_t kModelSnapshots = 4;

}  // namespace tarn::testing
