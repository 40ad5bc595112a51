// Makes a history that fails small enough to be read.
#pragma once

#include <functional>
#include <vector>

#include "tests/model/steps.h"

namespace tarn::testing {

// Whether a history still fails.
using StillFails = std::function<bool(const std::vector<Step>&)>;

// Leaves out steps, batches and operations, in ever smaller pieces, as long as what is left still
// fails: until nothing more can be left out, or `max_attempts` histories were tried.
std::vector<Step> Shrink(std::vector<Step> steps, const StillFails& still_fails,
                         int max_attempts = 3'000);

}  // namespace tarn::testing
