// Locks with fencing tokens, and the epochs of groups of workers. docs/locks.md says what they
// guarantee, and what they cannot.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tarn/client.h"
#include "tarn/connection.h"
#include "tarn/options.h"
#include "tarn/types.h"

namespace tarn {

// Of a request for a lock.
struct LockOptions {
  // How long the lock is had without renewing it: at least 1 ms, at most what the server allows.
  std::chrono::milliseconds ttl{10'000};
  // How long to wait while others have it; 0 = not at all, kNoTimeout = for ever.
  std::chrono::milliseconds wait{0};
  // Who asks, for people; empty = host, process and a number.
  std::string holder;
};

struct LockGrant {
  Revision token = 0;  // Larger than every token granted before it.
  Timestamp expire_time;
  std::chrono::milliseconds remaining{0};  // When the server answered.
  bool repeated = false;  // It had been granted to an earlier attempt of the same request.
};

// A lock at one moment.
struct LockState {
  std::string ns;
  std::string name;
  bool held = false;  // If not, only the names and the length of the queue mean something.
  std::string holder;
  Revision token = 0;
  Timestamp expire_time;
  std::chrono::milliseconds remaining{0};
  Timestamp acquire_time;
  uint32_t queue_length = 0;
};

// A group at one moment.
struct GroupState {
  std::string ns;
  std::string name;
  Revision epoch = 0;
  std::string member;  // Who raised it.
  Timestamp join_time;
};

struct FormerHolder {
  std::string holder;
  Revision token = 0;
};

struct AcquireLockParams {
  std::string ns;
  std::string name;
  LockOptions options;
  std::string request_id;  // The same for all attempts.
};

// What LockClient stands on; derive from it for tests. Thread-safe. A method that is not overridden
// is UNIMPLEMENTED. A negative or unset timeout is the connection's own.
class LockConnection {
 public:
  virtual ~LockConnection() = default;
  virtual absl::StatusOr<LockGrant> Acquire(const AcquireLockParams& params);
  virtual absl::StatusOr<LockGrant> Renew(const std::string& ns, const std::string& name,
                                          Revision token, std::chrono::milliseconds ttl,
                                          Timeout timeout);
  virtual absl::Status Release(const std::string& ns, const std::string& name, Revision token,
                               Timeout timeout);
  virtual absl::StatusOr<LockState> Get(const std::string& ns, const std::string& name);
  virtual absl::StatusOr<std::vector<LockState>> List(const std::string& ns);
  virtual absl::StatusOr<FormerHolder> ForceRelease(const std::string& ns, const std::string& name,
                                                    Revision token);
  virtual absl::StatusOr<Revision> JoinGroup(const std::string& ns, const std::string& group,
                                             const std::string& member);
  virtual absl::StatusOr<std::optional<GroupState>> GetGroup(const std::string& ns,
                                                             const std::string& group);
  virtual absl::StatusOr<std::vector<GroupState>> ListGroups(const std::string& ns);
  virtual absl::StatusOr<bool> DeleteGroup(const std::string& ns, const std::string& group);
};

absl::StatusOr<std::shared_ptr<LockConnection>> MakeLockConnection(const ClientOptions& options);

// A lock that is held, and kept by renewing it in the background until the guard is destroyed or
// the lock is lost.
//
//   absl::StatusOr<LockGuard> guard = locks.Lock("leader", {.wait = kNoTimeout}, [](auto& why) {
//     StopWorking(why);
//   });
//   Client mine = guard->Fenced(client);
//   mine.Put("k", "v");  // FENCED, at the latest when somebody else has the lock
//
// A guard can be wrong about held(): a process that was stopped for longer than the TTL, and wakes
// up, has lost the lock before it knows. Only what is checked against the token is safe: writes
// through Fenced(), and whatever else compares tokens. Thread-safe but for moving and destroying.
class LockGuard {
 public:
  // Told once, on a thread of the guard's, with why: LOCK_NOT_HELD, LOCK_HELD_BY_ANOTHER, or
  // whatever kept it from being renewed in time. Not after Release. It must not destroy the guard.
  using OnLost = std::function<void(const absl::Status& why)>;

  // Of a grant that lasts for `left` from now on, for certain.
  LockGuard(std::shared_ptr<LockConnection> connection, std::string ns, std::string name,
            Revision token, std::chrono::milliseconds ttl, std::chrono::milliseconds left,
            OnLost on_lost);
  LockGuard(LockGuard&&) noexcept;
  LockGuard& operator=(LockGuard&&) noexcept;
  // Releases the lock, unless it is lost or released; how that went is not told.
  ~LockGuard();

  Revision token() const;
  const std::string& name() const;

  // As far as this process can know: not lost, and renewed in time.
  bool held() const;
  // Why it is lost; OK while it is not.
  absl::Status lost() const;

  // What makes a write land only while the lock is held: for the parameters of a Connection, and
  // for others who check it.
  WriteFence fence() const;
  // The same client, whose writes carry it, pipelines included. It must be of the lock's namespace.
  Client Fenced(const Client& client) const;

  // Gives the lock back. LOCK_NOT_HELD, LOCK_HELD_BY_ANOTHER when it was lost before. OK when it
  // was released already.
  absl::Status Release();

 private:
  class Keeper;
  std::shared_ptr<Keeper> keeper_;
};

// Takes locks and joins groups of one namespace. A handle, cheap to copy. Thread-safe.
class LockClient {
 public:
  // As Client::Connect.
  static absl::StatusOr<LockClient> Connect(const ClientOptions& options = {});

  explicit LockClient(std::shared_ptr<LockConnection> connection, std::string ns = {})
      : connection_(std::move(connection)), ns_(std::move(ns)) {}

  LockClient WithNamespace(std::string ns) const { return LockClient(connection_, std::move(ns)); }

  // Takes a lock and keeps it. LOCK_HELD_BY_ANOTHER when it was not free in time; INVALID_TTL,
  // INVALID_LOCK, LOCK_QUEUE_FULL, TOO_MANY_LOCKS. Repeated by itself, and exactly: an attempt
  // whose answer was lost is recognised.
  absl::StatusOr<LockGuard> Lock(std::string name, LockOptions options = {},
                                 LockGuard::OnLost on_lost = {}) const;

  // The same without a guard: for those who renew by themselves.
  absl::StatusOr<LockGrant> Acquire(std::string name, LockOptions options = {}) const;
  absl::StatusOr<LockGrant> Renew(const std::string& name, Revision token,
                                  std::chrono::milliseconds ttl) const;
  // LOCK_NOT_HELD, LOCK_HELD_BY_ANOTHER; either may follow a lost answer of this call.
  absl::Status Release(const std::string& name, Revision token) const;

  // A lock as it is; not held by anybody is an answer. Idempotent.
  absl::StatusOr<LockState> Get(const std::string& name) const;
  // Those that are held or waited for, by name. Idempotent.
  absl::StatusOr<std::vector<LockState>> List() const;
  // Takes a lock from whoever holds it, or, with a token, only from that holder. For
  // administrators: PERMISSION_DENIED.
  absl::StatusOr<FormerHolder> ForceRelease(const std::string& name, Revision token = 0) const;

  // Raises the epoch of a group, which fences all earlier ones. Give it to Fenced, or to
  // WriteFence::group.
  absl::StatusOr<Revision> JoinGroup(const std::string& group, const std::string& member) const;
  absl::StatusOr<std::optional<GroupState>> GetGroup(const std::string& group) const;
  absl::StatusOr<std::vector<GroupState>> ListGroups() const;
  // Whether there was one. For administrators.
  absl::StatusOr<bool> DeleteGroup(const std::string& group) const;

  const std::string& ns() const { return ns_; }

 private:
  std::shared_ptr<LockConnection> connection_;
  std::string ns_;
};

// The same connection, whose writes carry the fence. Reads are as they were.
std::shared_ptr<Connection> FencedConnection(std::shared_ptr<Connection> connection,
                                             WriteFence fence);
// The same client, whose writes carry it: what a worker of a group writes with.
Client Fenced(const Client& client, WriteFence fence);

}  // namespace tarn
