// Runs a history on an engine and on the model at once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/contract/engine_factory.h"
#include "tests/model/steps.h"

namespace tarn::testing {

// Where an engine first differed from the model, and how.
struct Divergence {
  size_t step = 0;
  std::string what;
};

// With a new engine from the factory. Nothing: engine and model agreed to the end.
std::optional<Divergence> Execute(EngineFactory& factory, const std::vector<Step>& steps);

}  // namespace tarn::testing
