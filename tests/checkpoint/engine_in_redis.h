// The Redis engine beside the others, on a server of its own.
#pragma once

#include <memory>

#include "absl/synchronization/notification.h"
#include "storage/base/clock.h"
#include "storage/base/executor.h"
#include "storage/engine.h"
#include "storage/usage.h"
#include "tests/storage/redis/support/redis_server.h"

namespace tarn::testing {

// As the store and incarnation that `meta` says.
class EngineInRedis {
 public:
  EngineInRedis(const base::Clock& clock, const storage::StoreMeta& meta);
  ~EngineInRedis();

  storage::Engine& operator*() { return *engine_; }
  storage::Engine* operator->() { return engine_.get(); }
  storage::UsageLedger& ledger() { return *ledger_; }

  // Closes it and opens it again, as the next process does.
  void Reopen();

 private:
  void Open();

  const base::Clock& clock_;
  const RedisServer server_;
  const absl::Notification never_;
  base::ThreadPool executor_;
  std::unique_ptr<storage::UsageLedger> ledger_;
  std::unique_ptr<storage::Engine> engine_;
};

}  // namespace tarn::testing
