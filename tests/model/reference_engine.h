// An engine that is right because it is simple: one mutex over a map of every state it ever had.
// The suites are tried on it before they judge an engine that is fast, and it shows which behaviour
// the contract means.
#pragma once

#include <memory>

#include "storage/base/clock.h"
#include "storage/base/executor.h"
#include "storage/engine.h"
#include "storage/usage.h"

namespace tarn::testing {

struct ReferenceEngineOptions {
  storage::Limits limits;
  size_t max_snapshots = 64;
  base::Executor* completions = nullptr;  // Where completions run; inline when there is none.
};

std::unique_ptr<storage::Engine> NewReferenceEngine(const ReferenceEngineOptions& options,
                                                    base::Clock& clock,
                                                    storage::UsageLedger& ledger);

}  // namespace tarn::testing
