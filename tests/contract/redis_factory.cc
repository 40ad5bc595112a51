// The suites over the Redis engine, each case in a key prefix of its own on one real redis-server,
// as a user that may do what --print-redis-acl says and nothing more.
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "storage/base/random.h"
#include "storage/redis/redis_engine.h"
#include "tests/contract/engine_factory.h"
#include "tests/storage/redis/support/redis_server.h"

namespace tarn::testing {
namespace {

// As redis-server's arguments. The prefixes of all cases begin with a t.
std::vector<std::string> OneUser() {
  std::vector<std::string> arguments = absl::StrSplit(storage::RedisAclLine("tarn", "t*"), ' ');
  arguments.front() = "--user";
  arguments.push_back(">secret");
  return arguments;
}

class RedisFactory final : public EngineFactory {
 public:
  absl::StatusOr<std::unique_ptr<storage::Engine>> Open(const EngineSetup& setup,
                                                        const World& world) override {
    storage::RedisOptions options;
    options.url = absl::StrCat("unix://tarn:secret@", server_.unix_path());
    // What a directory is to others.
    std::string& prefix = prefixes_[world.directory];
    if (prefix.empty()) prefix = absl::StrCat("t", prefixes_.size());
    options.key_prefix = prefix;
    options.owner.holder = world.directory;
    options.limits = setup.limits;
    options.snapshots.max_open = setup.max_snapshots;
    options.snapshots.max_bytes = setup.max_snapshot_bytes;
    return storage::RedisEngine::Open(
        options, {world.clock, world.executor, world.ledger, base::SystemRandom(), never_});
  }

  bool durable() const override { return true; }

  absl::Status Inspect(storage::Engine& engine) override {
    return static_cast<storage::RedisEngine&>(engine).CheckConsistency();
  }

 private:
  const RedisServer server_{OneUser()};
  const absl::Notification never_;
  std::map<std::string, std::string> prefixes_;
};

}  // namespace

EngineFactory& EngineUnderTest() {
  static RedisFactory factory;
  return factory;
}

}  // namespace tarn::testing
