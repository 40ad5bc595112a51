#include "storage/redis/snapshots.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/redis/record.h"

namespace tarn::storage::redis {
namespace {

using base::MakeError;
using base::Reason;

absl::Status Ended(absl::string_view why) {
  return MakeError(absl::StatusCode::kAborted, Reason::kSnapshotExpired,
                   absl::StrCat("the snapshot was ended: ", why));
}

constexpr absl::string_view kMakesRoom = "it had to make room";

// Whether all of `range` lies in one of `passed`.
bool IsIn(const std::map<std::string, std::string, std::less<>>& passed, absl::string_view member) {
  auto behind = passed.upper_bound(member);
  return behind != passed.begin() && member < std::prev(behind)->second;
}

}  // namespace

absl::Status SnapshotView::status() const {
  if (!ended_.load(std::memory_order_acquire)) return absl::OkStatus();
  const absl::MutexLock lock(&mutex_);
  return why_;
}

void SnapshotView::End(const absl::Status& why) {
  {
    const absl::MutexLock lock(&mutex_);
    why_ = why;
  }
  ended_.store(true, std::memory_order_release);
}

SnapshotRegistry::SnapshotRegistry(const base::Clock& clock, WritesUnderWay& writes,
                                   const SnapshotLimits& limits)
    : clock_(clock), writes_(writes), limits_(limits) {}

void SnapshotRegistry::Open(SnapshotPurpose purpose, const Store& store, Opened done) {
  Enforce();
  if (views_.size() >= limits_.max_open) {
    const auto ended = Oldest(SnapshotPurpose::kScan);
    if (ended == views_.end()) {
      return std::move(done)(
          MakeError(absl::StatusCode::kResourceExhausted, Reason::kTooManySnapshots,
                    absl::StrCat(limits_.max_open, " snapshots are open already")));
    }
    End(**ended, SnapshotEnd::kMadeRoom, kMakesRoom);
    Remove(ended);
  }
  SnapshotView::Identity identity;
  // What was taken behind the newest commit and is not under way changed nothing: then there is no
  // reason to say more than what others say of the store.
  const bool idle = writes_.oldest() > writes_.last();
  identity.revision = idle ? store.committed : writes_.last();
  // After the state was fixed: what it shows as expired at this time had expired.
  identity.as_of = clock_.Now();
  identity.purpose = purpose;
  identity.generation = store.generation;
  identity.opened_ns = clock_.MonotonicNanos();
  auto view = std::make_shared<SnapshotView>(identity);
  views_.push_back(view);
  count_.fetch_add(1, std::memory_order_relaxed);
  // What is under way may be sent again, and what becomes of it is not known: until then nothing
  // can be read.
  writes_.WhenAnswered(writes_.last(), [view, done = std::move(done)]() mutable {
    absl::Status status = view->status();
    if (!status.ok()) return std::move(done)(std::move(status));
    std::move(done)(std::move(view));
  });
}

void SnapshotRegistry::Close(const SnapshotViewPtr& view) {
  const auto found = std::find(views_.begin(), views_.end(), view);
  if (found != views_.end()) Remove(found);
}

void SnapshotRegistry::Remove(Views::iterator view) {
  Overlay& overlay = (*view)->overlay_;
  overlay_bytes_ -= overlay.bytes();
  if (view != views_.begin()) {
    Overlay& older = (*std::prev(view))->overlay_;
    overlay_bytes_ -= older.bytes();
    older.TakeOver(overlay);
    overlay_bytes_ += older.bytes();
  }
  overlay = {};
  Uncount(**view);
  views_.erase(view);
  CountBytes();
}

void SnapshotRegistry::Uncount(SnapshotView& view) {
  if (view.counted_.exchange(false)) count_.fetch_sub(1, std::memory_order_relaxed);
}

void SnapshotRegistry::End(SnapshotView& view, SnapshotEnd end, absl::string_view why) {
  ended_[static_cast<size_t>(end)].fetch_add(1, std::memory_order_relaxed);
  view.End(Ended(why));
}

void SnapshotRegistry::EndAll(SnapshotEnd end, absl::string_view why) {
  EndUpTo(std::numeric_limits<Revision>::max(), end, why);
}

void SnapshotRegistry::EndUpTo(Revision revision, SnapshotEnd end, absl::string_view why) {
  while (!views_.empty() && views_.front()->identity().revision <= revision) {
    End(*views_.front(), end, why);
    Remove(views_.begin());
  }
}

SnapshotRegistry::Views::iterator SnapshotRegistry::NewestBefore(Revision revision) {
  auto view = views_.end();
  while (view != views_.begin()) {
    --view;
    if ((*view)->identity().revision < revision) return view;
  }
  return views_.end();
}

void SnapshotRegistry::OnReplaced(const Replaced& replaced) {
  const auto view = NewestBefore(replaced.revision);
  if (view == views_.end()) return;
  Keep(view, replaced);
  if (overlay_bytes_ > limits_.max_bytes) Enforce();
}

void SnapshotRegistry::Keep(Views::iterator view, const Replaced& replaced) {
  SnapshotView& keeper = **view;
  const std::string member = EncodeIndexMember({replaced.ns, replaced.key});
  // Older ones would need it too.
  if (view == views_.begin() && IsIn(keeper.passed_, member)) return;
  if (keeper.overlay_.Contains(member)) return;
  const std::optional<Record> record =
      replaced.record ? DecodeRecord(*replaced.record) : std::nullopt;
  if (record && record->revision > keeper.identity().revision) {
    return EndUpTo(keeper.identity().revision, SnapshotEnd::kUntold,
                   "what a write replaced was never told");
  }
  overlay_bytes_ -= keeper.overlay_.bytes();
  keeper.overlay_.Keep(member, replaced.record);
  overlay_bytes_ += keeper.overlay_.bytes();
  CountBytes();
}

void SnapshotRegistry::OnReplacedLost(Revision revision, const absl::Status& why) {
  const auto newest = NewestBefore(revision);
  if (newest == views_.end()) return;
  EndUpTo((*newest)->identity().revision, SnapshotEnd::kAnswerLost,
          absl::StrCat("what a write replaced is not known: ", why.message()));
}

base::UnixMs SnapshotRegistry::SweepBound() const {
  base::UnixMs bound = std::numeric_limits<base::UnixMs>::max();
  for (const auto& view : views_) bound = std::min(bound, view->identity().as_of);
  return bound;
}

Overlay::Images SnapshotRegistry::ImagesOf(const SnapshotView& view,
                                           const MemberRange& range) const {
  Overlay::Images images;
  for (auto newer = views_.rbegin(); newer != views_.rend(); ++newer) {
    (*newer)->overlay_.CopyTo(images, range);
    if (newer->get() == &view) break;
  }
  return images;
}

void SnapshotRegistry::Pass(SnapshotView& view, const MemberRange& range) {
  if (views_.empty() || views_.front().get() != &view) return;
  // Ranges come in order, one behind the other: mostly this makes one longer.
  const auto behind = view.passed_.upper_bound(range.lower);
  if (behind != view.passed_.begin() && std::prev(behind)->second >= range.lower) {
    std::string& end = std::prev(behind)->second;
    end = std::max(end, range.upper);
  } else {
    view.passed_.emplace(range.lower, range.upper);
  }
  overlay_bytes_ -= view.overlay_.bytes();
  view.overlay_.Drop(range);
  overlay_bytes_ += view.overlay_.bytes();
  CountBytes();
}

void SnapshotRegistry::Enforce() {
  for (auto view = BeyondLimits(); view != views_.end(); view = BeyondLimits()) {
    End(**view, LimitOf(**view), kMakesRoom);
    Remove(view);
  }
}

SnapshotEnd SnapshotRegistry::LimitOf(const SnapshotView& view) const {
  const int64_t oldest_allowed =
      clock_.MonotonicNanos() - absl::ToInt64Nanoseconds(limits_.max_age);
  const bool too_old = view.identity().opened_ns < oldest_allowed;
  return too_old ? SnapshotEnd::kTooOld : SnapshotEnd::kMadeRoom;
}

SnapshotRegistry::Views::iterator SnapshotRegistry::BeyondLimits() {
  if (views_.empty()) return views_.end();
  if (LimitOf(*views_.front()) == SnapshotEnd::kTooOld) return views_.begin();
  if (overlay_bytes_ <= limits_.max_bytes) return views_.end();
  const auto scan = Oldest(SnapshotPurpose::kScan);
  return scan != views_.end() ? scan : views_.begin();
}

SnapshotRegistry::Views::iterator SnapshotRegistry::Oldest(SnapshotPurpose purpose) {
  return std::find_if(views_.begin(), views_.end(), [purpose](const SnapshotViewPtr& view) {
    return view->identity().purpose == purpose;
  });
}

}  // namespace tarn::storage::redis
