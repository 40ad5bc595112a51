// What tarn-bench prints, and the flat JSON object that it writes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/bench/samples.h"

namespace tarn::bench {

// What a figure is held to.
struct Bound {
  enum class Kind { kAtLeast, kAtMost };
  Kind kind = Kind::kAtLeast;
  double value = 0;
};

inline Bound AtLeast(double value) { return {Bound::Kind::kAtLeast, value}; }
inline Bound AtMost(double value) { return {Bound::Kind::kAtMost, value}; }

// Collects figures in the order in which they were measured. Not thread-safe.
class Report {
 public:
  // Also says it on stdout at once. The JSON holds NAME (the median), NAME_min and NAME_max.
  void Add(const std::string& name, const Spread& spread, std::optional<Bound> bound = {});
  // A single measurement: NAME alone.
  void Add(const std::string& name, double value, std::optional<Bound> bound = {});

  // Whether every figure meets its bound.
  bool all_met() const { return all_met_; }

  std::string ToJson() const;

 private:
  struct Figure {
    std::string name;
    double value;
  };

  void Print(const std::string& name, const Spread& spread, std::optional<Bound> bound);

  std::vector<Figure> figures_;
  bool all_met_ = true;
};

}  // namespace tarn::bench
