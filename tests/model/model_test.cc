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
#include "tests/model/explain.h"
#include "tests/model/generate.h"

namespace tarn::testing {
namespace {

uint64_t OperationsToRun() {
  const char* wanted = std::getenv("TARN_MODEL_OPERATIONS");
  if (wanted != nullptr) return std::strtoull(wanted, nullptr, 10);
  return Count(300'000, 50'000'000);
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
    if (divergence)
      FAIL("TARN_SEED=" << seed << ": " << Show(ShrinkFailure(factory, steps, *divergence)));
    done += OperationsIn(steps);
  }
  WARN(done << " operations in " << histories << " histories");
}

}  // namespace
}  // namespace tarn::testing
