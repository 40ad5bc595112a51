// How the suites get the engine they test. One file for each engine defines EngineUnderTest().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/base/clock.h"
#include "storage/base/executor.h"
#include "storage/engine.h"
#include "storage/limits.h"
#include "storage/usage.h"

namespace tarn::testing {

// What a case wants its engine to be like.
struct EngineSetup {
  storage::Limits limits;
  size_t max_snapshots = 64;
  uint64_t max_snapshot_bytes = uint64_t{1} << 40;  // Kept only because a snapshot needs it.
  uint64_t memory_limit_bytes =
      0;  // 0: far more than any case needs. Only engines that live in memory look at it.
};

// What an engine is given. Outlives it.
struct World {
  base::Clock& clock;
  storage::UsageLedger& ledger;
  base::Executor& executor;
  std::string directory;  // Exists. What a durable engine finds in it, it holds.
};

class EngineFactory {
 public:
  virtual ~EngineFactory() = default;
  virtual absl::StatusOr<std::unique_ptr<storage::Engine>> Open(const EngineSetup& setup,
                                                                const World& world) = 0;

  // Whether what was acknowledged is there when the directory is opened again.
  virtual bool durable() const { return false; }

  // What the engine can check of itself that nobody else sees. Nothing is under way.
  virtual absl::Status Inspect(storage::Engine&) { return absl::OkStatus(); }
};

EngineFactory& EngineUnderTest();

}  // namespace tarn::testing
