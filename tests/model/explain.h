// Turns a failure into something to read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/contract/engine_factory.h"
#include "tests/model/execution.h"
#include "tests/model/steps.h"

namespace tarn::testing {

struct ShrunkFailure {
  Divergence first;                // Of the whole history.
  std::vector<Step> steps;         // Without what it does not need to fail.
  std::optional<Divergence> last;  // Of these; nothing when they do not fail every time.
};

ShrunkFailure ShrinkFailure(EngineFactory& factory, std::vector<Step> steps,
                            const Divergence& divergence);

// What differed, and the steps that lead there, one a line.
std::string Show(const ShrunkFailure& failure);

}  // namespace tarn::testing
