// The open snapshots: what each must know of the writes after it, what they cost, whose turn it is
// to end.
//
// Redis has no snapshots. So every write that takes its revision while one is open brings back what
// it replaced. The first that is brought back of a key, if it is of the snapshot's revision or
// older, is what the snapshot shows of that key; whatever no such write replaced is still in Redis.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "storage/base/clock.h"
#include "storage/engine.h"
#include "storage/redis/layout.h"
#include "storage/redis/overlay.h"
#include "storage/redis/write_observer.h"
#include "storage/redis_stats.h"
#include "storage/revision.h"

namespace tarn::storage::redis {

struct SnapshotLimits {
  size_t max_open = 256;
  // Shorter than Redis keeps what has expired (kGarbageDelayMs).
  absl::Duration max_age = absl::Minutes(30);
  // Of what was replaced, in memory.
  uint64_t max_bytes = uint64_t{1} << 30;
};

// One fixed state of the store, until it is ended: by its owner, because of a limit, or because it
// could not be exact any more.
class SnapshotView {
 public:
  struct Identity {
    Revision revision = 0;
    base::UnixMs as_of = 0;
    SnapshotPurpose purpose = SnapshotPurpose::kScan;
    Generation generation = 0;
    int64_t opened_ns = 0;
  };

  explicit SnapshotView(const Identity& identity) : identity_(identity) {}

  const Identity& identity() const { return identity_; }

  // OK, or why it was ended (ABORTED, SNAPSHOT_EXPIRED). Thread-safe.
  absl::Status status() const;

 private:
  friend class SnapshotRegistry;

  void End(const absl::Status& why);

  const Identity identity_;
  std::atomic<bool> ended_ = false;
  std::atomic<bool> counted_ = true;  // By the registry.
  mutable absl::Mutex mutex_;
  absl::Status why_ ABSL_GUARDED_BY(mutex_);

  // The registry's. What was replaced between this one's opening and that of the next newer one:
  // together with those of all newer ones, what it shows.
  Overlay overlay_;
  // Ranges that are not asked for again, from start to end.
  std::map<std::string, std::string, std::less<>> passed_;
};

using SnapshotViewPtr = std::shared_ptr<SnapshotView>;

// The loop's thread's, but for what is said to be thread-safe.
class SnapshotRegistry final : public WriteObserver {
 public:
  SnapshotRegistry(const base::Clock& clock, WritesUnderWay& writes, const SnapshotLimits& limits);

  // What the store is like when it is fixed.
  struct Store {
    Generation generation = 0;
    Revision committed = 0;  // The newest revision that changed something.
  };
  // Fixes the state at the newest revision, and calls back when everything up to it is answered:
  // from then on it can be read. Or RESOURCE_EXHAUSTED (TOO_MANY_SNAPSHOTS), or why it was ended
  // before that.
  using Opened = absl::AnyInvocable<void(absl::StatusOr<SnapshotViewPtr>) &&>;
  void Open(SnapshotPurpose purpose, const Store& store, Opened done);
  void Close(const SnapshotViewPtr& view);
  // It is about to be closed, and does not count as open any more. Thread-safe.
  void Uncount(SnapshotView& view);

  // Ends all: what they would show is not there any more.
  void EndAll(SnapshotEnd end, absl::string_view why);
  // Ends this and all older ones: something after their revisions was missed.
  void EndUpTo(Revision revision, SnapshotEnd end, absl::string_view why);

  // What differs, in that range, from what Redis holds, if everything that was under way when it
  // was read has been answered.
  Overlay::Images ImagesOf(const SnapshotView& view, const MemberRange& range) const;

  // The view is not asked for the range any more. What is kept for it alone is dropped.
  void Pass(SnapshotView& view, const MemberRange& range);

  // Ends what is beyond the limits.
  void Enforce();

  bool WantsReplaced() const override { return !views_.empty(); }
  void OnReplaced(const Replaced& replaced) override;
  void OnReplacedLost(Revision revision, const absl::Status& why) override;
  base::UnixMs SweepBound() const override;
  void OnNodeChanged(const absl::Status& why) override {
    EndAll(SnapshotEnd::kNodeChanged, why.message());
  }

  // Thread-safe.
  size_t count() const { return count_.load(std::memory_order_relaxed); }
  uint64_t kept_bytes() const { return kept_bytes_.load(std::memory_order_relaxed); }
  uint64_t ended(SnapshotEnd end) const {
    return ended_[static_cast<size_t>(end)].load(std::memory_order_relaxed);
  }

 private:
  using Views = std::vector<SnapshotViewPtr>;

  // The newest that was opened before that revision was taken; end() when there is none.
  Views::iterator NewestBefore(Revision revision);
  void Keep(Views::iterator view, const Replaced& replaced);
  // The one whose turn it is; end() when the limits are kept.
  Views::iterator BeyondLimits();
  Views::iterator Oldest(SnapshotPurpose purpose);
  // Takes it out of the list; what newer ones need not know, older ones may.
  void Remove(Views::iterator view);
  void End(SnapshotView& view, SnapshotEnd end, absl::string_view why);
  // The name of the limit that it is beyond.
  SnapshotEnd LimitOf(const SnapshotView& view) const;
  void CountBytes() { kept_bytes_.store(overlay_bytes_, std::memory_order_relaxed); }

  const base::Clock& clock_;
  WritesUnderWay& writes_;
  const SnapshotLimits limits_;

  Views views_;  // The oldest first.
  uint64_t overlay_bytes_ = 0;
  std::atomic<size_t> count_ = 0;
  std::atomic<uint64_t> kept_bytes_ = 0;
  std::array<std::atomic<uint64_t>, kSnapshotEnds> ended_ = {};
};

}  // namespace tarn::storage::redis
