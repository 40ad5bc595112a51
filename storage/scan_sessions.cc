#include "storage/scan_sessions.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::storage {

absl::Status SnapshotExpired() {
  return base::MakeError(absl::StatusCode::kAborted, base::Reason::kSnapshotExpired,
                         "the scan's view is no longer kept; begin the scan anew");
}

// Whatever ends a snapshot is kept until the mutex is released: an engine may take its time.
absl::Status ScanSessions::Reserve() {
  std::shared_ptr<ScanSession> ended;
  absl::MutexLock lock(&mutex_);
  if (sessions_.size() + reserved_ >= options_.max_open) {
    const auto longest = LeastMissed();
    if (longest == sessions_.end()) {
      return base::MakeError(
          absl::StatusCode::kResourceExhausted, base::Reason::kTooManySnapshots,
          absl::StrCat("as many scans as allowed (", options_.max_open, ") are running"));
    }
    ended = std::move(longest->second.session);
    sessions_.erase(longest);
  }
  ++reserved_;
  return absl::OkStatus();
}

void ScanSessions::Unreserve() {
  absl::MutexLock lock(&mutex_);
  --reserved_;
}

std::shared_ptr<ScanSession> ScanSessions::Add(std::unique_ptr<Snapshot> snapshot, NamespaceId ns,
                                               uint64_t request_digest) {
  auto session = std::make_shared<ScanSession>();
  session->snapshot = std::move(snapshot);
  session->ns = ns;
  session->request_digest = request_digest;
  session->opened_at = clock_.Now();
  absl::MutexLock lock(&mutex_);
  --reserved_;
  do {
    session->id = random_.Next();
  } while (sessions_.contains(session->id));
  sessions_[session->id] = Kept{.session = session, .users = 1};
  return session;
}

absl::StatusOr<std::shared_ptr<ScanSession>> ScanSessions::Resume(uint64_t id) {
  absl::MutexLock lock(&mutex_);
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || HasExpired(found->second)) return SnapshotExpired();
  ++found->second.users;
  found->second.lingers = false;
  return found->second.session;
}

void ScanSessions::Leave(const std::shared_ptr<ScanSession>& session, Afterwards afterwards) {
  std::shared_ptr<ScanSession> ended;
  absl::MutexLock lock(&mutex_);
  const auto found = sessions_.find(session->id);
  // Another scan of it ended it.
  if (found == sessions_.end() || found->second.session != session) return;
  Kept& kept = found->second;
  --kept.users;
  if (afterwards == Afterwards::kEnd) {
    ended = std::move(kept.session);
    sessions_.erase(found);
  } else if (kept.users == 0) {
    kept.idle_since = clock_.Now();
    kept.idle_order = ++idle_count_;
    kept.lingers = afterwards == Afterwards::kLinger;
  }
}

void ScanSessions::EndExpired() {
  std::vector<std::shared_ptr<ScanSession>> ended;
  absl::MutexLock lock(&mutex_);
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    if (HasExpired(it->second)) {
      ended.push_back(std::move(it->second.session));
      it = sessions_.erase(it);
    } else {
      ++it;
    }
  }
}

size_t ScanSessions::size() const {
  absl::MutexLock lock(&mutex_);
  return sessions_.size();
}

absl::Duration ScanSessions::oldest_age() const {
  absl::MutexLock lock(&mutex_);
  base::UnixMs oldest = clock_.Now();
  const base::UnixMs now = oldest;
  for (const auto& [id, kept] : sessions_) oldest = std::min(oldest, kept.session->opened_at);
  return absl::Milliseconds(now - oldest);
}

bool ScanSessions::HasExpired(const Kept& kept) const {
  const absl::Duration life =
      kept.lingers ? std::min(options_.linger, options_.lifetime) : options_.lifetime;
  return kept.users == 0 && absl::Milliseconds(clock_.Now() - kept.idle_since) >= life;
}

ScanSessions::Sessions::iterator ScanSessions::LeastMissed() {
  auto least = sessions_.end();
  const auto rank = [](const Kept& kept) { return std::pair(!kept.lingers, kept.idle_order); };
  for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
    if (it->second.users > 0) continue;
    if (least == sessions_.end() || rank(it->second) < rank(least->second)) least = it;
  }
  return least;
}

}  // namespace tarn::storage
