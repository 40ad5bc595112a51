// The snapshots of scans, kept so that a scan whose caller went away can go on where it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/snapshot.h"

namespace tarn::storage {

// One snapshot and what it was opened for.
struct ScanSession {
  uint64_t id = 0;
  std::unique_ptr<Snapshot> snapshot;
  NamespaceId ns = kSystemNamespace;
  uint64_t request_digest = 0;
  base::UnixMs opened_at = 0;
};

// Thread-safe. A session is in use while a scan reads from it (several may: a caller that came
// back, and the connection it lost) and idle after that, for a limited time. Sessions in use are
// never ended here; the engine may do so.
class ScanSessions {
 public:
  struct Options {
    size_t max_open = 128;
    absl::Duration lifetime = absl::Seconds(60);  // Of an idle one.
    absl::Duration linger = absl::Seconds(5);     // Of an idle one that was read to its end.
  };

  // What becomes of a session when a scan leaves it.
  enum class Afterwards {
    kKeep,
    kLinger,  // It was read to its end, but what was sent last may be lost on its way.
    kEnd,
  };

  ScanSessions(const Options& options, const base::Clock& clock, base::RandomSource& random)
      : options_(options), clock_(clock), random_(random) {}

  // Room for one more session, which Add or Unreserve uses up; when there is none, one that lingers
  // is ended, or else the one that has been idle longest. TOO_MANY_SNAPSHOTS when all are in use.
  absl::Status Reserve();
  void Unreserve();

  // A new session, in use.
  std::shared_ptr<ScanSession> Add(std::unique_ptr<Snapshot> snapshot, NamespaceId ns,
                                   uint64_t request_digest);

  // The session of that number, in use once more. SNAPSHOT_EXPIRED when it is gone.
  absl::StatusOr<std::shared_ptr<ScanSession>> Resume(uint64_t id);

  // Ends one use of it.
  void Leave(const std::shared_ptr<ScanSession>& session, Afterwards afterwards);

  // Ends those that have been idle too long.
  void EndExpired();

  size_t size() const;
  absl::Duration oldest_age() const;

 private:
  struct Kept {
    std::shared_ptr<ScanSession> session;
    int users = 0;
    base::UnixMs idle_since = 0;
    uint64_t idle_order = 0;  // Tells those of one millisecond apart.
    bool lingers = false;
  };
  using Sessions = std::map<uint64_t, Kept>;

  bool HasExpired(const Kept& kept) const;
  Sessions::iterator LeastMissed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const base::Clock& clock_;
  base::RandomSource& random_;

  mutable absl::Mutex mutex_;
  Sessions sessions_ ABSL_GUARDED_BY(mutex_);
  size_t reserved_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t idle_count_ ABSL_GUARDED_BY(mutex_) = 0;
};

absl::Status SnapshotExpired();

}  // namespace tarn::storage
