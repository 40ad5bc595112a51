#include "storage/memory/snapshot_registry.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::storage::memory {

absl::StatusOr<std::shared_ptr<OpenedSnapshot>> SnapshotRegistry::Open(SnapshotPurpose purpose) {
  absl::MutexLock lock(&mutex_);
  if (open_.size() >= options_.max_snapshots && !ExpireOldestLocked(SnapshotPurpose::kScan)) {
    return base::MakeError(absl::StatusCode::kResourceExhausted, base::Reason::kTooManySnapshots,
                           absl::StrCat("all ", options_.max_snapshots, " snapshots are in use"));
  }
  auto snapshot = std::make_shared<OpenedSnapshot>();
  snapshot->purpose = purpose;
  snapshot->serial = ++last_serial_;
  // Until the bounds are published, every writer keeps its images and no image is collected. A
  // writer whose revision is above the one read next took it after that, and so sees at least this;
  // one whose revision is not above it holds its locks until it has applied, so that readers of
  // this snapshot see all of it.
  if (open_.empty()) oldest_.store(0, std::memory_order_seq_cst);
  newest_.store(kAll, std::memory_order_seq_cst);
  newest_other_.store(kAll, std::memory_order_seq_cst);
  if (purpose == SnapshotPurpose::kCheckpoint && consumer_.load(std::memory_order_relaxed) == 0)
    consumer_.store(snapshot->serial, std::memory_order_seq_cst);
  snapshot->revision = revisions_.Last();
  snapshot->as_of = clock_.Now();
  open_.push_back(snapshot);
  PublishBounds();
  return snapshot;
}

void SnapshotRegistry::Close(const OpenedSnapshot& snapshot) {
  absl::MutexLock lock(&mutex_);
  const auto found = std::find_if(open_.begin(), open_.end(),
                                  [&](const auto& open) { return open.get() == &snapshot; });
  if (found == open_.end()) return;  // Expired before.
  open_.erase(found);
  PublishBounds();
}

void SnapshotRegistry::ExpireOldest() {
  absl::MutexLock lock(&mutex_);
  if (!ExpireOldestLocked(SnapshotPurpose::kScan)) ExpireOldestLocked(SnapshotPurpose::kCheckpoint);
}

bool SnapshotRegistry::ExpireOldestLocked(SnapshotPurpose purpose) {
  const auto oldest = std::find_if(open_.begin(), open_.end(),
                                   [&](const auto& open) { return open->purpose == purpose; });
  if (oldest == open_.end()) return false;
  (*oldest)->expired.store(true, std::memory_order_seq_cst);
  open_.erase(oldest);
  PublishBounds();
  return true;
}

void SnapshotRegistry::PublishBounds() {
  const uint64_t consumer = consumer_.load(std::memory_order_relaxed);
  Revision newest_other = 0;
  bool is_open = false;
  for (const auto& open : open_) {
    is_open = is_open || open->serial == consumer;
    if (open->serial != consumer) newest_other = open->revision;
  }
  newest_other_.store(newest_other, std::memory_order_seq_cst);
  newest_.store(open_.empty() ? 0 : open_.back()->revision, std::memory_order_seq_cst);
  oldest_.store(open_.empty() ? kAll : open_.front()->revision, std::memory_order_seq_cst);
  // Last: who still takes it for the consumer finds bounds without it.
  if (!is_open) consumer_.store(0, std::memory_order_seq_cst);
}

base::UnixMs SnapshotRegistry::sweep_horizon() const {
  absl::MutexLock lock(&mutex_);
  const base::UnixMs now = clock_.Now();
  return open_.empty() ? now : std::min(now, open_.front()->as_of);
}

size_t SnapshotRegistry::size() const {
  absl::MutexLock lock(&mutex_);
  return open_.size();
}

}  // namespace tarn::storage::memory
