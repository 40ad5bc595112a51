// A memory engine full of windows, and the catalog that its checkpoints go to.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "checkpoint/catalog.h"
#include "checkpoint/checkpointer.h"
#include "storage/base/clock.h"
#include "storage/memory/memory_engine.h"
#include "storage/usage.h"
#include "tests/bench/window_data.h"

namespace tarn::bench {

inline constexpr storage::NamespaceId kWindowsNamespace = 1;

// An engine in this process, of a store that is always the same one. Whatever fails ends the
// program.
class BenchEngine {
 public:
  explicit BenchEngine(const storage::MemoryEngineOptions& options = {});

  storage::MemoryEngine& operator*() { return *engine_; }
  storage::MemoryEngine* operator->() { return engine_.get(); }
  const storage::UsageLedger& ledger() const { return ledger_; }
  const base::Clock& clock() const { return clock_; }

  // What the state takes in memory, as the engine counts it. `tarn-bench engine` shows by
  // memory_overhead_bytes that it counts right: growth of the process tells less once other engines
  // have come and gone.
  double StateBytes() const { return static_cast<double>(engine_->Stats().memory_bytes); }

  // The namespace, then every entry.
  void Fill(const WindowData& data);
  void Put(absl::string_view key, absl::string_view value) { PutIn(kWindowsNamespace, key, value); }

 private:
  void PutIn(storage::NamespaceId ns, absl::string_view key, absl::string_view value);

  const base::SystemClock clock_;
  storage::UsageLedger ledger_;
  std::unique_ptr<storage::MemoryEngine> engine_;
};

// The directory's catalog, bound. One at a time for a directory.
std::unique_ptr<checkpoint::Catalog> OpenCatalog(const std::string& directory,
                                                 const base::Clock& clock, int threads);

// Creates checkpoints of one engine in one catalog.
class BenchCheckpointer {
 public:
  BenchCheckpointer(BenchEngine& engine, const std::string& directory, checkpoint::Codec codec,
                    int threads);

  // From opening a snapshot to publishing, as tarnd does it.
  checkpoint::CreateReport Create();

 private:
  std::unique_ptr<checkpoint::Catalog> catalog_;
  checkpoint::CheckpointObserver observer_;
  std::unique_ptr<checkpoint::Checkpointer> checkpointer_;
};

// Restores the catalog's newest checkpoint into a new engine: every byte verified, and what the
// engine shows compared with it. Seconds.
double RestoreNewest(const std::string& directory, int threads);

}  // namespace tarn::bench
