// Reads entries.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "storage/redis/batch_run.h"
#include "storage/redis/unit.h"

namespace tarn::storage::redis {

// How many gets one command may bring back: their values are far fewer bytes than a reply may have.
inline constexpr size_t kReadsPerCommand = 16;

// Some gets of an independent batch; of one node, at most kReadsPerCommand. `ordered`: behind the
// writes of the key that were submitted before; only for a single one.
enum class ReadTurn : uint8_t { kAnyTime, kOrdered };
void StartReads(Core& core, BatchRun& run, absl::Span<const uint32_t> indexes, ReadTurn turn);

// All gets of an atomic batch, at one moment.
void StartAtomicReads(Core& core, BatchRun& run);

}  // namespace tarn::storage::redis
