// The locks of the store behind a door.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "storage/store_door.h"

namespace tarn::storage {

// Thread-safe; belongs to its door. Whoever asks is inside only until the call returns, and not
// until it is answered: a store that goes ends those who wait by itself, with the same refusal.
class StoreDoor::DoorLocks final : public Locks {
 public:
  explicit DoorLocks(StoreDoor& door) : door_(door) {}

  void Acquire(LockRequest request, Done<LockGrant> done) override;
  void TakeBack(absl::string_view ns, absl::string_view name, WaitId wait_id) override;
  void Renew(absl::string_view ns, absl::string_view name, Revision token, int64_t ttl_ms,
             Done<LockGrant> done) override;
  void Release(absl::string_view ns, absl::string_view name, Revision token,
               Answered done) override;
  void ForceRelease(absl::string_view ns, absl::string_view name, Revision token,
                    Done<FormerHolder> done) override;
  void JoinGroup(absl::string_view ns, absl::string_view group, absl::string_view member,
                 Done<Revision> done) override;
  void DeleteGroup(absl::string_view ns, absl::string_view group, Done<bool> done) override;
  absl::StatusOr<LockInfo> GetLock(absl::string_view ns, absl::string_view name) const override;
  absl::StatusOr<GroupInfo> GetGroup(absl::string_view ns, absl::string_view group) const override;
  absl::StatusOr<std::vector<LockInfo>> ListLocks(absl::string_view ns, absl::string_view after,
                                                  size_t max) const override;
  absl::StatusOr<std::vector<GroupInfo>> ListGroups(absl::string_view ns, absl::string_view after,
                                                    size_t max) const override;
  void EndWaiting(const absl::Status& why) override;
  // Nothing while everything is closed.
  LockStats Stats() const override;

 private:
  // A request that was taken back while everything was closed. If its store goes, so does it; if
  // that store is opened again, it is still in the queue.
  struct TakenBack {
    std::string ns;
    std::string name;
    WaitId wait_id = 0;
  };

  // Calls `act` with the store's locks, or `refuse` with why not.
  template <typename Act, typename Refuse>
  void Visit(Act act, Refuse refuse) const;
  void CatchUp(Locks& locks) const;

  StoreDoor& door_;
  mutable absl::Mutex mutex_;
  mutable std::vector<TakenBack> later_ ABSL_GUARDED_BY(mutex_);
  mutable std::atomic<bool> has_later_{false};
};

}  // namespace tarn::storage
