#include "tests/checkpoint/engine_in_redis.h"

#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "storage/base/random.h"
#include "storage/redis/redis_engine.h"
#include "tests/support/status.h"

namespace tarn::testing {

EngineInRedis::EngineInRedis(const base::Clock& clock, const storage::StoreMeta& meta)
    : clock_(clock), executor_(base::ThreadPool::Options{.name = "redis", .threads = 2}) {
  Open();
  const absl::Status status = engine_->WriteMeta(meta);
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

EngineInRedis::~EngineInRedis() = default;

void EngineInRedis::Open() {
  storage::RedisOptions options;
  options.url = absl::StrCat("unix://", server_.unix_path());
  options.owner.holder = "test";
  ledger_ = std::make_unique<storage::UsageLedger>();
  engine_ = Value(storage::RedisEngine::Open(
      options, {clock_, executor_, *ledger_, base::SystemRandom(), never_}));
}

void EngineInRedis::Reopen() {
  engine_.reset();
  Open();
}

}  // namespace tarn::testing
