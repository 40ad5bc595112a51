#include "storage/redis/snapshot.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "storage/base/error.h"
#include "storage/redis/chunk_reader.h"
#include "storage/redis/cursor.h"
#include "storage/redis/split_keys.h"
#include <asio/post.hpp>

namespace tarn::storage::redis {
namespace {

class RedisSnapshot final : public Snapshot {
 public:
  RedisSnapshot(const SnapshotParts& parts, SnapshotViewPtr view)
      : parts_(parts), view_(std::move(view)) {}

  ~RedisSnapshot() override {
    parts_.registry.Uncount(*view_);
    asio::post(parts_.core.context,
               [&registry = parts_.registry, view = view_] { registry.Close(view); });
  }

  Revision revision() const override { return view_->identity().revision; }
  base::UnixMs as_of() const override { return view_->identity().as_of; }

  std::unique_ptr<Cursor> NewCursor(const KeyRange& range, const ScanOptions& options) override {
    const bool is_scan = view_->identity().purpose == SnapshotPurpose::kScan;
    return std::make_unique<RedisCursor>(
        parts_.core, is_scan ? nullptr : parts_.executor,
        std::make_shared<ChunkReader>(parts_.core, parts_.registry, parts_.ghosts, view_, range,
                                      options),
        view_);
  }

  std::vector<std::string> SplitKeys(NamespaceId ns, size_t parts) override;

 private:
  const SnapshotParts parts_;
  const SnapshotViewPtr view_;
};

std::vector<std::string> RedisSnapshot::SplitKeys(NamespaceId ns, size_t parts) {
  struct Answer {
    std::vector<std::string> keys;
    absl::Notification given;
  };
  auto answer = std::make_shared<Answer>();
  asio::post(parts_.core.context,
             [&core = parts_.core, generation = view_->identity().generation, ns, parts, answer] {
               FindSplitKeys(core, generation, ns, parts, [answer](std::vector<std::string> keys) {
                 answer->keys = std::move(keys);
                 answer->given.Notify();
               });
             });
  // Without them one thread reads it all.
  if (!answer->given.WaitForNotificationWithTimeout(kOpenPatience)) return {};
  return std::move(answer->keys);
}

// One who waits for a snapshot, and may stop to.
class Opening {
 public:
  // False when nobody waits any more.
  bool Give(absl::StatusOr<SnapshotViewPtr> view) {
    const absl::MutexLock lock(&mutex_);
    if (abandoned_) return false;
    view_ = std::move(view);
    return true;
  }

  absl::StatusOr<SnapshotViewPtr> Wait() {
    const absl::MutexLock lock(&mutex_);
    const auto given = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return view_.has_value(); };
    if (mutex_.AwaitWithTimeout(absl::Condition(&given), kOpenPatience)) return *std::move(view_);
    abandoned_ = true;
    return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kEngineUnavailable,
                           "a snapshot waits for writes whose outcome is not known yet");
  }

 private:
  absl::Mutex mutex_;
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::StatusOr<SnapshotViewPtr>> view_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<Snapshot>> OpenSnapshot(const SnapshotParts& parts,
                                                       SnapshotPurpose purpose) {
  auto opening = std::make_shared<Opening>();
  asio::post(
      parts.core.context, [&core = parts.core, &registry = parts.registry, purpose, opening] {
        const SnapshotRegistry::Store store{core.generation, core.counters.committed.load()};
        registry.Open(purpose, store, [&registry, opening](absl::StatusOr<SnapshotViewPtr> view) {
          const SnapshotViewPtr opened = view.ok() ? *view : nullptr;
          if (!opening->Give(std::move(view)) && opened != nullptr) registry.Close(opened);
        });
      });
  absl::StatusOr<SnapshotViewPtr> view = opening->Wait();
  if (!view.ok()) return std::move(view).status();
  return std::make_unique<RedisSnapshot>(parts, *std::move(view));
}

}  // namespace tarn::storage::redis
