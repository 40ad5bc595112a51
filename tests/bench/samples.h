// Repeated measurements of one quantity, and what is said of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace tarn::bench {

// The median is what is quoted; minimum and maximum show how noisy the machine was.
struct Spread {
  double min = 0;
  double median = 0;
  double max = 0;
};

inline Spread SpreadOf(std::vector<double> samples) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  return {samples.front(), samples[samples.size() / 2], samples.back()};
}

// Pair by pair, so that a machine whose speed drifts drifts in both.
inline std::vector<double> Ratios(const std::vector<double>& of, const std::vector<double>& to) {
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(of.size(), to.size()); ++i) ratios.push_back(of[i] / to[i]);
  return ratios;
}

}  // namespace tarn::bench
