// The suites over the reference engine: shows that they can be passed.
#include <cstdlib>

#include "tests/contract/engine_factory.h"
#include "tests/model/reference_engine.h"

namespace tarn::testing {
namespace {

class ReferenceFactory final : public EngineFactory {
 public:
  absl::StatusOr<std::unique_ptr<storage::Engine>> Open(const EngineSetup& setup,
                                                        const World& world) override {
    ReferenceEngineOptions options;
    options.limits = setup.limits;
    options.max_snapshots = setup.max_snapshots;
#ifdef TARN_LATE_COMPLETIONS
    options.completions = &world.executor;
#endif
    return NewReferenceEngine(options, world.clock, world.ledger);
  }
};

}  // namespace

EngineFactory& EngineUnderTest() {
  static ReferenceFactory factory;
  return factory;
}

}  // namespace tarn::testing
