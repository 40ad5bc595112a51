#include "tests/bench/report.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace tarn::bench {
namespace {

bool Meets(double value, const Bound& bound) {
  return bound.kind == Bound::Kind::kAtLeast ? value >= bound.value : value <= bound.value;
}

// Enough digits for a ratio, none too many for a rate.
std::string Shown(double value) {
  return value >= 1000 ? absl::StrFormat("%.0f", value) : absl::StrFormat("%.4g", value);
}

std::string Verdict(double value, const Bound& bound) {
  return absl::StrCat(bound.kind == Bound::Kind::kAtLeast ? ">= " : "<= ", Shown(bound.value),
                      Meets(value, bound) ? "  met" : "  NOT MET");
}

}  // namespace

void Report::Add(const std::string& name, const Spread& spread, std::optional<Bound> bound) {
  figures_.push_back({name, spread.median});
  figures_.push_back({name + "_min", spread.min});
  figures_.push_back({name + "_max", spread.max});
  Print(name, spread, bound);
}

void Report::Add(const std::string& name, double value, std::optional<Bound> bound) {
  figures_.push_back({name, value});
  Print(name, {value, value, value}, bound);
}

void Report::Print(const std::string& name, const Spread& spread, std::optional<Bound> bound) {
  std::string line = absl::StrFormat("%-38s %12s", name, Shown(spread.median));
  absl::StrAppendFormat(&line, "  [%s .. %s]", Shown(spread.min), Shown(spread.max));
  if (bound) {
    absl::StrAppend(&line, "  ", Verdict(spread.median, *bound));
    all_met_ = all_met_ && Meets(spread.median, *bound);
  }
  std::puts(line.c_str());
  std::fflush(stdout);
}

std::string Report::ToJson() const {
  std::string json = "{";
  for (const Figure& figure : figures_) {
    absl::StrAppend(&json, json.size() == 1 ? "\n" : ",\n", "  \"", figure.name,
                    "\": ", absl::StrFormat("%.6g", figure.value));
  }
  return json + "\n}\n";
}

}  // namespace tarn::bench
