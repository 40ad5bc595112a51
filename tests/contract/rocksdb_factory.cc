// The suites over the RocksDB engine.
#include "storage/base/file_system.h"
#include "storage/rocksdb/rocksdb_engine.h"
#include "tests/contract/engine_factory.h"

namespace tarn::testing {
namespace {

class RocksDbFactory final : public EngineFactory {
 public:
  absl::StatusOr<std::unique_ptr<storage::Engine>> Open(const EngineSetup& setup,
                                                        const World& world) override {
    storage::RocksDbOptions options;
    options.path = world.directory + "/engine";
    options.limits = setup.limits;
    options.max_snapshots = setup.max_snapshots;
    options.max_snapshot_bytes = setup.max_snapshot_bytes;
    options.min_free_disk_bytes = 0;
    return storage::RocksDbEngine::Open(
        options, {world.clock, world.executor, world.ledger, base::PosixFileSystem()});
  }

  bool durable() const override { return true; }

  absl::Status Inspect(storage::Engine& engine) override {
    return static_cast<storage::RocksDbEngine&>(engine).CheckConsistency();
  }
};

}  // namespace

EngineFactory& EngineUnderTest() {
  static RocksDbFactory factory;
  return factory;
}

}  // namespace tarn::testing
