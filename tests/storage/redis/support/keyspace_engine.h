// The Redis engine without an owner: what it keeps in Redis, and how, over any link.
//
//   RedisServer server;
//   KeyspaceEngine engine(server);
//   Do(engine, Put("k", "v"));
//   ReadAll(*Value(engine.OpenSnapshot(SnapshotPurpose::kScan)), engine.clock().Now());
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/executor.h"
#include "storage/engine.h"
#include "storage/redis/core.h"
#include "storage/redis/event_loop.h"
#include "storage/redis/generations.h"
#include "storage/redis/ghosts.h"
#include "storage/redis/link.h"
#include "storage/redis/snapshot.h"
#include "storage/redis/snapshots.h"
#include "storage/usage.h"
#include "tests/storage/redis/support/redis_server.h"

namespace tarn::testing {

// Stands between the writes and the snapshots: what a broken engine would not do.
struct Flaws {
  // Asked for each pre-image: whether it reaches the snapshots.
  std::function<bool(const storage::redis::Replaced&)> tells = [](const storage::redis::Replaced&) {
    return true;
  };
  // So long after the write was answered.
  int64_t late_ms = 0;
};

class KeyspaceEngine final : public storage::Engine, private storage::redis::LinkListener {
 public:
  struct Options {
    storage::redis::SnapshotLimits snapshots;
    storage::redis::Generation generation = 1;
    base::Clock* clock = nullptr;  // Null: one that stands still.
    Flaws flaws;
  };

  explicit KeyspaceEngine(const RedisServer& server) : KeyspaceEngine(server, Options()) {}
  KeyspaceEngine(const RedisServer& server, const Options& options);
  KeyspaceEngine(const std::string& url, const Options& options);
  ~KeyspaceEngine() override;

  base::ManualClock& clock() { return clock_; }
  storage::UsageLedger& ledger() { return ledger_; }
  storage::redis::Core& core() { return *core_; }
  storage::redis::SnapshotRegistry& registry() { return *registry_; }
  storage::redis::Generations& generations() { return *generations_; }

  // Runs it on the loop's thread and waits.
  void OnLoop(const std::function<void()>& work);
  // "text", "1", "nil", "[a b]", or "lost".
  std::string Ask(const std::vector<std::string>& words);
  // The name in Redis of the entry, and of what its partition has.
  std::string EntryName(storage::NamespaceId ns, const std::string& key);
  std::string IndexName(storage::NamespaceId ns, const std::string& key);
  std::string DeadlinesName(storage::NamespaceId ns, const std::string& key);
  // Waits until every member is in its index.
  void Fold();
  // Waits until no generation is being removed.
  void AwaitRemoval();

  void Run(const storage::Batch& batch, storage::Completion done) override;
  absl::StatusOr<std::unique_ptr<storage::Snapshot>> OpenSnapshot(
      storage::SnapshotPurpose purpose) override;
  absl::StatusOr<std::unique_ptr<storage::BulkLoad>> BeginBulkLoad() override;
  absl::StatusOr<storage::SweepResult> SweepExpired(size_t max_entries) override;
  storage::EngineStats Stats() const override;
  absl::StatusOr<std::optional<storage::StoreMeta>> ReadMeta() override { return meta_; }
  absl::Status WriteMeta(const storage::StoreMeta& meta) override;
  void SetPlacement(storage::NamespaceId ns, storage::Placement placement) override {
    core_->placements.Set(ns, placement);
  }
  absl::string_view name() const override { return "keyspace"; }
  absl::string_view durability() const override { return "None."; }

 private:
  class Teller;

  void ShutDown();
  void OnNodeChanged(const std::string& address, const std::string& why) override;
  void OnGuardRefused(const std::string&) override {}

  base::ManualClock clock_{1'000'000'000'000};
  storage::UsageLedger ledger_;
  base::ThreadPool executor_;
  std::unique_ptr<storage::redis::Core> core_;
  std::unique_ptr<storage::redis::SnapshotRegistry> registry_;
  std::unique_ptr<storage::redis::Ghosts> ghosts_;
  std::unique_ptr<Teller> teller_;
  std::shared_ptr<storage::redis::Generations> generations_;
  std::optional<storage::StoreMeta> meta_;
  storage::redis::EventLoop loop_;
};

}  // namespace tarn::testing
