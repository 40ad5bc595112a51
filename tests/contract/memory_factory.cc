// The suites over the memory engine.
#include "storage/memory/memory_engine.h"
#include "tests/contract/engine_factory.h"

namespace tarn::testing {
namespace {

class MemoryFactory final : public EngineFactory {
 public:
  absl::StatusOr<std::unique_ptr<storage::Engine>> Open(const EngineSetup& setup,
                                                        const World& world) override {
    storage::MemoryEngineOptions options;
    options.limits = setup.limits;
    options.max_snapshots = setup.max_snapshots;
    options.snapshot_limit_bytes = setup.max_snapshot_bytes;
    options.memory_limit_bytes = setup.memory_limit_bytes;
    return storage::MemoryEngine::Open(options, world.clock, world.ledger);
  }
};

}  // namespace

EngineFactory& EngineUnderTest() {
  static MemoryFactory factory;
  return factory;
}

}  // namespace tarn::testing
