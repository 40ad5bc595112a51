// Locks with fencing tokens, and the epochs of groups of workers, as those above the Store see
// them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/base/clock.h"
#include "storage/revision.h"

namespace tarn::storage {

// Tells requests that wait apart, so that one can be taken back. Chosen by the caller; unique in
// the process, and the later request has the larger one.
using WaitId = uint64_t;

struct LockRequest {
  std::string ns;  // Empty: kDefaultNamespace. Need not exist.
  std::string name;
  std::string holder;
  std::string request_id;  // Empty: none.
  int64_t ttl_ms = 0;
  int64_t wait_ms = 0;  // 0: not at all.
  WaitId wait_id = 0;
};

struct LockGrant {
  Revision token = 0;
  base::UnixMs expire_time = 0;
  int64_t remaining_ms = 0;  // Until then, when it was answered; positive.
  bool repeated = false;     // It had been granted to an earlier request of the same id.
};

struct LockInfo {
  std::string ns;
  std::string name;
  bool held = false;
  std::string holder;
  Revision token = 0;
  base::UnixMs expire_time = 0;
  int64_t remaining_ms = 0;
  base::UnixMs acquire_time = 0;
  size_t queue_length = 0;
};

struct GroupInfo {
  std::string ns;
  std::string name;
  bool found = false;
  Revision epoch = 0;
  std::string member;
  base::UnixMs join_time = 0;
};

// Whose a lock was.
struct FormerHolder {
  std::string holder;
  Revision token = 0;
};

// How often, since the store was opened, and how many now.
struct LockStats {
  uint64_t held = 0;
  uint64_t waiting = 0;
  uint64_t groups = 0;
  uint64_t acquired = 0;
  uint64_t timed_out = 0;  // Requests that waited in vain, or did not want to wait.
  uint64_t given_up = 0;   // Requests whose caller went away.
  uint64_t expired = 0;
  uint64_t released = 0;
  uint64_t forced = 0;
  uint64_t joined = 0;
  uint64_t fenced_writes = 0;  // Refused.
};

// Thread-safe. Callbacks are called once, perhaps before the call returns, never with a lock held,
// and must not block. All may get INVALID_LOCK, INVALID_NAMESPACE_NAME, UNAVAILABLE (NOT_READY: the
// store is being closed) and, where something changes, the engine's errors.
class Locks {
 public:
  template <typename T>
  using Done = absl::AnyInvocable<void(absl::StatusOr<T>) &&>;
  using Answered = absl::AnyInvocable<void(const absl::Status&) &&>;

  virtual ~Locks() = default;

  // In order of arrival. INVALID_TTL; LOCK_HELD_BY_ANOTHER when it was not free in time;
  // LOCK_NOT_HELD when the grant was over before it could be answered; LOCK_QUEUE_FULL,
  // TOO_MANY_LOCKS; CANCELLED when it was taken back, or another request of the same id came.
  virtual void Acquire(LockRequest request, Done<LockGrant> done) = 0;
  // Takes a request back that is not answered yet: it leaves the queue, and what it is being
  // granted is released. Nothing when there is none.
  virtual void TakeBack(absl::string_view ns, absl::string_view name, WaitId wait_id) = 0;

  // LOCK_NOT_HELD, LOCK_HELD_BY_ANOTHER.
  virtual void Renew(absl::string_view ns, absl::string_view name, Revision token, int64_t ttl_ms,
                     Done<LockGrant> done) = 0;
  virtual void Release(absl::string_view ns, absl::string_view name, Revision token,
                       Answered done) = 0;
  // With token 0, whoever holds it.
  virtual void ForceRelease(absl::string_view ns, absl::string_view name, Revision token,
                            Done<FormerHolder> done) = 0;

  // TOO_MANY_GROUPS.
  virtual void JoinGroup(absl::string_view ns, absl::string_view group, absl::string_view member,
                         Done<Revision> done) = 0;
  // Whether there was one.
  virtual void DeleteGroup(absl::string_view ns, absl::string_view group, Done<bool> done) = 0;

  virtual absl::StatusOr<LockInfo> GetLock(absl::string_view ns, absl::string_view name) const = 0;
  virtual absl::StatusOr<GroupInfo> GetGroup(absl::string_view ns,
                                             absl::string_view group) const = 0;
  // In order of name, those after `after`, at most `max`.
  virtual absl::StatusOr<std::vector<LockInfo>> ListLocks(absl::string_view ns,
                                                          absl::string_view after,
                                                          size_t max) const = 0;
  virtual absl::StatusOr<std::vector<GroupInfo>> ListGroups(absl::string_view ns,
                                                            absl::string_view after,
                                                            size_t max) const = 0;

  // Ends every request that waits with `why`, and does not let any more wait.
  virtual void EndWaiting(const absl::Status& why) = 0;

  virtual LockStats Stats() const = 0;
};

}  // namespace tarn::storage
