#include "tests/model/explain.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/model/shrink.h"

namespace tarn::testing {

ShrunkFailure ShrinkFailure(EngineFactory& factory, std::vector<Step> steps,
                            const Divergence& divergence) {
  steps.resize(divergence.step + 1);
  const auto fails = [&factory](const std::vector<Step>& candidate) {
    return Execute(factory, candidate).has_value();
  };
  ShrunkFailure failure{divergence, Shrink(std::move(steps), fails), std::nullopt};
  failure.last = Execute(factory, failure.steps);
  return failure;
}

std::string Show(const ShrunkFailure& failure) {
  std::string text = absl::StrCat("step ", failure.first.step, ": ", failure.first.what,
                                  "\nshrunk to ", failure.steps.size(), " steps:\n");
  for (const Step& step : failure.steps) absl::StrAppend(&text, "  ", Show(step), "\n");
  if (!failure.last) return absl::StrCat(text, "which do not fail every time");
  return absl::StrCat(text, "then: ", failure.last->what);
}

}  // namespace tarn::testing
