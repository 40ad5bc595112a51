#include "storage/rocksdb/snapshots.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/rocksdb/rocksdb_status.h"
#include "storage/rocksdb/split_keys.h"

namespace tarn::storage::rocks {
namespace {

using base::MakeError;
using base::Reason;

absl::Status Expired() {
  return MakeError(absl::StatusCode::kAborted, Reason::kSnapshotExpired,
                   "the snapshot was ended to make room");
}

}  // namespace

SnapshotView::SnapshotView(std::shared_ptr<Database> database, const rocksdb::Snapshot* snapshot,
                           const Identity& identity)
    : database_(std::move(database)), snapshot_(snapshot), identity_(identity) {}

SnapshotView::~SnapshotView() { End(); }

SnapshotView::Parking SnapshotView::NewParking() {
  absl::MutexLock lock(&mutex_);
  return parked_.insert(parked_.end(), nullptr);
}

void SnapshotView::RemoveParking(Parking parking) {
  IteratorPtr left;  // Destroyed without the lock: that may be work.
  absl::MutexLock lock(&mutex_);
  left = std::move(*parking);
  parked_.erase(parking);
}

absl::StatusOr<IteratorPtr> SnapshotView::BeginPage(Parking parking) {
  absl::MutexLock lock(&mutex_);
  if (ended_) return Expired();
  ++uses_;
  return std::move(*parking);
}

void SnapshotView::EndPage(Parking parking, IteratorPtr iterator) {
  {
    absl::MutexLock lock(&mutex_);
    if (!ended_) *parking = std::move(iterator);
  }
  iterator.reset();  // Before the snapshot it reads.
  Leave();
}

std::vector<std::string> SnapshotView::SplitKeys(NamespaceId ns, size_t parts) {
  {
    absl::MutexLock lock(&mutex_);
    if (ended_) return {};
    ++uses_;
  }
  std::vector<std::string> keys = rocks::SplitKeys(*database_, snapshot_, ns, parts);
  Leave();
  return keys;
}

void SnapshotView::Leave() {
  bool last = false;
  {
    absl::MutexLock lock(&mutex_);
    --uses_;
    last = ended_ && uses_ == 0;
  }
  if (last) Release();
}

void SnapshotView::End() {
  std::list<IteratorPtr> left;
  bool last = false;
  {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    for (IteratorPtr& iterator : parked_) left.push_back(std::move(iterator));
    last = uses_ == 0;
  }
  left.clear();
  if (last) Release();
}

void SnapshotView::Release() {
  std::shared_ptr<Database> database;
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(released_, true)) return;
    database = std::move(database_);
  }
  database->db().ReleaseSnapshot(snapshot_);
}

SnapshotRegistry::SnapshotRegistry(const LiveDatabase& database, const base::Clock& clock,
                                   const SnapshotLimits& limits)
    : database_(database), clock_(clock), limits_(limits) {}

absl::StatusOr<std::shared_ptr<SnapshotView>> SnapshotRegistry::MakeView(SnapshotPurpose purpose) {
  std::shared_ptr<Database> database = database_.Share();
  if (database == nullptr) return NotOpen();
  SnapshotView::Identity identity;
  identity.purpose = purpose;
  identity.opened_ns = clock_.MonotonicNanos();
  identity.replaced_before = replaced_.load(std::memory_order_relaxed);
  const rocksdb::Snapshot* const snapshot = database->db().GetSnapshot();
  absl::StatusOr<Revision> revision = database->ReadCommit(snapshot);
  if (!revision.ok()) {
    database->db().ReleaseSnapshot(snapshot);
    return std::move(revision).status();
  }
  identity.revision = *revision;
  // After the state was fixed: what it shows as expired at this time had expired.
  identity.as_of = clock_.Now();
  return std::make_shared<SnapshotView>(std::move(database), snapshot, identity);
}

absl::Status SnapshotRegistry::TakePlace() {
  std::shared_ptr<SnapshotView> ended;
  {
    absl::MutexLock lock(&mutex_);
    if (views_.size() + opening_ >= limits_.max_open) {
      ended = TakeOldest(SnapshotPurpose::kScan);
      if (ended == nullptr) {
        return MakeError(absl::StatusCode::kResourceExhausted, Reason::kTooManySnapshots,
                         absl::StrCat(limits_.max_open, " snapshots are open already"));
      }
    }
    ++opening_;
  }
  if (ended != nullptr) ended->End();
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<SnapshotView>> SnapshotRegistry::Open(SnapshotPurpose purpose) {
  TARN_RETURN_IF_ERROR(TakePlace());
  absl::StatusOr<std::shared_ptr<SnapshotView>> view = MakeView(purpose);
  absl::MutexLock lock(&mutex_);
  --opening_;
  if (!view.ok()) return view;
  if (closed_) return NotOpen();  // Which ends the view.
  views_.push_back(*view);
  Remember();
  return view;
}

void SnapshotRegistry::Close(const std::shared_ptr<SnapshotView>& view) {
  {
    absl::MutexLock lock(&mutex_);
    views_.remove(view);
    Remember();
  }
  view->End();
}

void SnapshotRegistry::Remember() {
  open_.store(views_.size(), std::memory_order_relaxed);
  oldest_replaced_before_.store(views_.empty() ? 0 : views_.front()->identity().replaced_before,
                                std::memory_order_relaxed);
  const auto scan = std::find_if(views_.begin(), views_.end(), [](const auto& view) {
    return view->identity().purpose == SnapshotPurpose::kScan;
  });
  oldest_scan_opened_ns_.store(
      scan == views_.end() ? std::numeric_limits<int64_t>::max() : (*scan)->identity().opened_ns,
      std::memory_order_relaxed);
}

std::shared_ptr<SnapshotView> SnapshotRegistry::TakeOldest(SnapshotPurpose purpose) {
  const auto oldest = std::find_if(views_.begin(), views_.end(), [purpose](const auto& view) {
    return view->identity().purpose == purpose;
  });
  if (oldest == views_.end()) return nullptr;
  std::shared_ptr<SnapshotView> view = std::move(*oldest);
  views_.erase(oldest);
  Remember();
  return view;
}

base::UnixMs SnapshotRegistry::ShownFrom(base::UnixMs now) const {
  absl::MutexLock lock(&mutex_);
  for (const auto& view : views_) now = std::min(now, view->identity().as_of);
  return now;
}

void SnapshotRegistry::CountReplaced(uint64_t bytes) {
  if (count() != 0) replaced_.fetch_add(bytes, std::memory_order_relaxed);
}

uint64_t SnapshotRegistry::kept_bytes() const {
  if (count() == 0) return 0;
  return replaced_.load(std::memory_order_relaxed) -
         oldest_replaced_before_.load(std::memory_order_relaxed);
}

std::shared_ptr<SnapshotView> SnapshotRegistry::TakeBeyondLimits() {
  const int64_t oldest_allowed =
      clock_.MonotonicNanos() - absl::ToInt64Nanoseconds(limits_.max_scan_age);
  if (oldest_scan_opened_ns_.load(std::memory_order_relaxed) < oldest_allowed) {
    return TakeOldest(SnapshotPurpose::kScan);
  }
  if (kept_bytes() <= limits_.max_bytes) return nullptr;
  std::shared_ptr<SnapshotView> view = TakeOldest(SnapshotPurpose::kScan);
  return view != nullptr ? view : TakeOldest(SnapshotPurpose::kCheckpoint);
}

void SnapshotRegistry::Enforce() {
  while (count() != 0) {
    std::shared_ptr<SnapshotView> view;
    {
      absl::MutexLock lock(&mutex_);
      view = TakeBeyondLimits();
    }
    if (view == nullptr) return;
    view->End();
  }
}

void SnapshotRegistry::EndAll() {
  Views views;
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    views.swap(views_);
    Remember();
  }
  for (const auto& view : views) view->End();
}

void SnapshotRegistry::Resume() {
  absl::MutexLock lock(&mutex_);
  closed_ = false;
}

}  // namespace tarn::storage::rocks
