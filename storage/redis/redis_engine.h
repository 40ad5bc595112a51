// The engine whose state lives in Redis: standalone, behind Sentinels, or in a cluster.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "storage/base/clock.h"
#include "storage/base/executor.h"
#include "storage/base/random.h"
#include "storage/engine.h"
#include "storage/redis/redis_options.h"
#include "storage/redis_report.h"
#include "storage/usage.h"

namespace tarn::storage {

// One thread, the loop's, orders everything and talks to Redis; callers hand their batches to it.
class RedisEngine final : public Engine {
 public:
  // All outlive the engine.
  struct Dependencies {
    const base::Clock& clock;
    base::Executor& executor;
    UsageLedger& ledger;  // Empty; the engine fills and keeps it.
    base::RandomSource& random;
    // Ends an Open that waits.
    const absl::Notification& stop;
    // Another daemon has taken the store: nothing can be written any more. Called once, on the
    // engine's thread.
    std::function<void()> deposed = [] {};
    // Where it shows itself from the beginning of Open until it is destroyed; may be null.
    RedisMonitor* monitor = nullptr;
    // While Open waits: another daemon owns the store, which is told by its name; "" when it waits
    // for it no longer. Called on the thread of Open.
    std::function<void(absl::string_view owner)> stand_by = [](absl::string_view) {};
  };

  // Waits until Redis can be reached and the store is nobody else's. INVALID_ARGUMENT for options
  // that are wrong, FAILED_PRECONDITION when a newer Tarn wrote the store or Redis may evict
  // entries, CANCELLED when `stop` came first.
  static absl::StatusOr<std::unique_ptr<RedisEngine>> Open(const RedisOptions& options,
                                                           const Dependencies& dependencies);

  ~RedisEngine() override;

  void Run(const Batch& batch, Completion done) override;
  void WhenSettled(absl::AnyInvocable<void() &&> settled) override;
  absl::StatusOr<std::unique_ptr<Snapshot>> OpenSnapshot(SnapshotPurpose purpose) override;
  absl::StatusOr<std::unique_ptr<BulkLoad>> BeginBulkLoad() override;
  absl::StatusOr<SweepResult> SweepExpired(size_t max_entries) override;
  EngineStats Stats() const override;
  absl::StatusOr<std::optional<StoreMeta>> ReadMeta() override;
  absl::Status WriteMeta(const StoreMeta& meta) override;
  void SetPlacement(NamespaceId ns, Placement placement) override;
  bool is_shared() const override { return true; }
  absl::string_view name() const override { return "redis"; }
  absl::string_view durability() const override;

  // Reads everything and compares it with the index and the ledger. DATA_LOSS saying what differs.
  absl::Status CheckConsistency();

 private:
  class Parts;

  explicit RedisEngine(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

// The rules that an ACL must allow the daemon's user, as one line for redis.conf or ACL SETUSER.
std::string RedisAclLine(absl::string_view user, absl::string_view key_prefix);

}  // namespace tarn::storage
