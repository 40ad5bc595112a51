// The suites over the Redis engine on a real cluster, each case in a key prefix of its own.
//
// What one atomic batch changes must be placed together, and so each namespace is. TARN_PLACEMENT
// "spread" leaves them spread, for the cases that need nothing else.
#include <cstdlib>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "storage/base/random.h"
#include "storage/redis/redis_engine.h"
#include "tests/contract/engine_factory.h"
#include "tests/storage/redis/support/redis_groups.h"

namespace tarn::testing {
namespace {

constexpr storage::NamespaceId kNamespaces = 64;  // More than the cases use.

class RedisClusterFactory final : public EngineFactory {
 public:
  absl::StatusOr<std::unique_ptr<storage::Engine>> Open(const EngineSetup& setup,
                                                        const World& world) override {
    storage::RedisOptions options;
    options.url = cluster_.url();
    std::string& prefix = prefixes_[world.directory];
    if (prefix.empty()) prefix = absl::StrCat("t", prefixes_.size());
    options.key_prefix = prefix;
    options.owner.holder = world.directory;
    options.limits = setup.limits;
    options.snapshots.max_open = setup.max_snapshots;
    options.snapshots.max_bytes = setup.max_snapshot_bytes;
    auto engine = storage::RedisEngine::Open(
        options, {world.clock, world.executor, world.ledger, base::SystemRandom(), never_});
    if (!engine.ok()) return engine.status();
    const char* const placement = std::getenv("TARN_PLACEMENT");
    if (placement != nullptr && std::string(placement) == "spread") return *std::move(engine);
    for (storage::NamespaceId ns = 1; ns <= kNamespaces; ++ns) {
      (*engine)->SetPlacement(ns, storage::Placement::kTogether);
    }
    return *std::move(engine);
  }

  bool durable() const override { return true; }

  absl::Status Inspect(storage::Engine& engine) override {
    return static_cast<storage::RedisEngine&>(engine).CheckConsistency();
  }

 private:
  const ClusterGroup cluster_;
  const absl::Notification never_;
  std::map<std::string, std::string> prefixes_;
};

}  // namespace

EngineFactory& EngineUnderTest() {
  static RedisClusterFactory factory;
  return factory;
}

}  // namespace tarn::testing
