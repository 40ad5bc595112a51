// The RocksDB engine beside the memory engine of world.h.
#pragma once

#include <memory>
#include <string>

#include "storage/base/clock.h"
#include "storage/base/executor.h"
#include "storage/engine.h"
#include "storage/usage.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {

// In a directory of its own, as the store and incarnation that `meta` says.
class EngineOnDisk {
 public:
  EngineOnDisk(const base::Clock& clock, const storage::StoreMeta& meta);
  ~EngineOnDisk();

  storage::Engine& operator*() { return *engine_; }
  storage::Engine* operator->() { return engine_.get(); }
  storage::UsageLedger& ledger() { return *ledger_; }

  // Closes it and opens it again, as the next process does.
  void Reopen();

 private:
  void Open();

  const base::Clock& clock_;
  const TempDir directory_;
  base::ThreadPool executor_;
  std::unique_ptr<storage::UsageLedger> ledger_;
  std::unique_ptr<storage::Engine> engine_;
};

// Throws when it fails.
void AddNamespace(storage::Engine& engine, const std::string& name, storage::NamespaceId id);

}  // namespace tarn::testing
