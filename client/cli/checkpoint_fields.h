// A checkpoint, to be printed.
#pragma once

#include <string>
#include <vector>

#include "client/cli/output.h"
#include "tarn/checkpoint.h"

namespace tarn::cli {

// "intact", "damaged", ...
const char* NameOf(CheckpointHealth health);

// What a list shows. A simple line has all of them.
std::vector<Field> SummaryOf(const Checkpoint& checkpoint);

// Everything.
std::vector<Field> FieldsOf(const Checkpoint& checkpoint);

}  // namespace tarn::cli
