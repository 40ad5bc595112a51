// Random histories on the engine under test, compared step by step with the model.
//
// A failure prints the smallest history it can find. TARN_SEED=<seed> repeats a run;
// TARN_MODEL_OPERATIONS says how many operations to run.
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/model/execution.h"
#include "tests/model/generate.h"
#include "tests/model/shrink.h"

namespace tarn::testing {
namespace {

uint64_t OperationsToRun() {
  const char* wanted = std::getenv("TARN_MODEL_OPERATIONS");
  if (wanted != nullptr) return std::strtoull(wanted, nullptr, 10);
  return Count(300'000, 30'000'000);
}

// The failing history without its needless parts, a line for each step.
std::string Explain(EngineFactory& factory, std::vector<Step> steps, const Divergence& divergence) {
  steps.resize(divergence.step + 1);
  const size_t whole = steps.size();
  const auto fails = [&factory](const std::vector<Step>& candidate) {
    return Execute(factory, candidate).has_value();
  };
  const std::vector<Step> shrunk = Shrink(std::move(steps), fails);
  std::string text =
      absl::StrCat(divergence.what, "\nshrunk from ", whole, " steps to ", shrunk.size(), ":\n");
  for (const Step& step : shrunk) absl::StrAppend(&text, "  ", Show(step), "\n");
  const std::optional<Divergence> last = Execute(factory, shrunk);
  absl::StrAppend(&text,
                  last ? absl::StrCat("then: ", last->what) : "which does not fail every time");
  return text;
}

TEST_CASE("The engine does what an ordered map would do, whatever comes") {
  EngineFactory& factory = EngineUnderTest();
  const uint64_t wanted = OperationsToRun();
  HistoryOptions options;
  options.reopen = factory.durable();
  uint64_t done = 0;
  uint32_t histories = 0;
  while (done < wanted) {
    const uint32_t seed = Seed() + histories++;
    const std::vector<Step> steps = GenerateHistory(seed, options);
    const std::optional<Divergence> divergence = Execute(factory, steps);
    if (divergence) FAIL("TARN_SEED=" << seed << ": " << Explain(factory, steps, *divergence));
    done += OperationsIn(steps);
  }
  WARN(done << " operations in " << histories << " histories");
}

}  // namespace
}  // namespace tarn::testing
