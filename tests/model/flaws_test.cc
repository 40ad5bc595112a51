// The model test itself: it finds every flaw, and shows it in a few steps.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/model/explain.h"
#include "tests/model/flawed_engine.h"
#include "tests/model/generate.h"

namespace tarn::testing {
namespace {

constexpr uint32_t kMaxHistories = 200;

struct Finding {
  std::vector<Step> steps;
  Divergence divergence;
};

std::optional<Finding> Find(EngineFactory& factory) {
  for (uint32_t i = 0; i < kMaxHistories; ++i) {
    std::vector<Step> steps = GenerateHistory(Seed() + i, {.steps = 300});
    std::optional<Divergence> divergence = Execute(factory, steps);
    if (divergence) return Finding{std::move(steps), *std::move(divergence)};
  }
  return std::nullopt;
}

TEST_CASE("Every flaw is found and shrunk to a history that can be read") {
  for (int i = 1; i <= static_cast<int>(kLastFlaw); ++i) {
    INFO("flaw " << i);
    const std::unique_ptr<EngineFactory> factory = NewFlawedFactory(static_cast<Flaw>(i));
    const std::optional<Finding> finding = Find(*factory);
    REQUIRE(finding.has_value());
    const ShrunkFailure failure = ShrinkFailure(*factory, finding->steps, finding->divergence);
    INFO(Show(failure));
    CHECK(failure.last.has_value());
    CHECK(failure.steps.size() <= 25);
    CHECK(OperationsIn(failure.steps) <= 50);
  }
}

TEST_CASE("Without a flaw nothing is found") {
  const std::unique_ptr<EngineFactory> factory = NewFlawedFactory(Flaw::kNone);
  for (uint32_t i = 0; i < 20; ++i) {
    CHECK_FALSE(Execute(*factory, GenerateHistory(Seed() + i, {.steps = 300})).has_value());
  }
}

TEST_CASE("The same seed makes the same history") {
  const std::vector<Step> first = GenerateHistory(7, {.steps = 200});
  const std::vector<Step> second = GenerateHistory(7, {.steps = 200});
  REQUIRE(first.size() == second.size());
  for (size_t i = 0; i < first.size(); ++i) CHECK(Show(first[i]) == Show(second[i]));
}

}  // namespace
}  // namespace tarn::testing
