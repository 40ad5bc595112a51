// Writes that must look first: preconditions, take, delete, add, append, touch, receipts, and
// atomic batches.
#pragma once

#include <cstddef>

#include "storage/redis/batch_run.h"
#include "storage/redis/core.h"

namespace tarn::storage::redis {

// Whether what the operations may add at most has been charged to the ledger.
enum class Charged : uint8_t { kNo, kYes };

// What an operation adds at most.
Usage MostOf(const Operation& operation);

// One operation of an independent batch.
void StartCommit(Core& core, BatchRun& run, size_t index, Charged charged);

// An atomic batch with a mutation.
void StartAtomicCommit(Core& core, BatchRun& run);

}  // namespace tarn::storage::redis
