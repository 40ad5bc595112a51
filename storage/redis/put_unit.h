// A put that asks for nothing: the one write that is no script.
#pragma once

#include <cstddef>

#include "storage/redis/batch_run.h"
#include "storage/redis/core.h"

namespace tarn::storage::redis {

// What a plain put replaces is sent back whole. Larger values are written by a script that looks at
// the header alone.
inline constexpr size_t kMaxPlainValueBytes = size_t{4} << 10;

bool IsPlainPut(const Operation& operation);

// What a plain put adds at most; it has been charged for it.
Usage MostOfPut(const Operation& operation);

void StartPut(Core& core, BatchRun& run, size_t index);

}  // namespace tarn::storage::redis
