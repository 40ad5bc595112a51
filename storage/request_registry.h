// Which clients there are, and which of their requests were done.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "storage/base/clock.h"
#include "storage/client_record.h"
#include "storage/engine.h"
#include "storage/outstanding.h"
#include "storage/request_window.h"
#include "storage/snapshot.h"
#include "storage/store.h"

namespace tarn::storage {

// Knows every client id and, in memory, every request id in its window; the answers themselves are
// in the engine, as receipts. Thread-safe.
//
// What is removed goes in this order, so that no crash makes a request look unused: first the
// client's record says that ids below its floor are not known any more (or the record goes, with
// the client), then the receipts go.
class RequestRegistry {
 public:
  struct Context {
    Engine& engine;
    const base::Clock& clock;
    Outstanding& tasks;
  };

  using Registered = absl::AnyInvocable<void(absl::StatusOr<Revision>) &&>;
  // Called when the request that was under way has ended: begin again.
  using Waiter = absl::AnyInvocable<void() &&>;

  // A request that is under way; End belongs to it.
  struct Begun {
    RequestWindow::Standing standing = RequestWindow::Standing::kFresh;
    KeptAnswers known;      // Of kKnown.
    base::UnixMs time = 0;  // Now.
  };

  // Reads clients and receipts from the engine. Those of another store than `store_id` are removed.
  static absl::StatusOr<std::unique_ptr<RequestRegistry>> Load(const Context& context,
                                                               const std::string& store_id,
                                                               const RequestOptions& options);
  ~RequestRegistry();

  // Issues a client id, durably. RESOURCE_EXHAUSTED (RECEIPTS_FULL): there are too many clients.
  void Register(Registered done);

  // For kUnderWay, `waiter` is taken, and nothing has begun. OUT_OF_RANGE (UNKNOWN_CLIENT,
  // REQUEST_TOO_OLD), INVALID_ARGUMENT (REQUEST_MISMATCH), RESOURCE_EXHAUSTED (RECEIPTS_FULL,
  // QUEUE_FULL).
  absl::StatusOr<Begun> Begin(const RequestId& id, const base::Hash128& digest, Waiter& waiter);

  // What the request's answers were, besides those known before. The waiters that are returned are
  // to be called without a lock held.
  std::vector<Waiter> End(const RequestId& id, KeptAnswers fresh);

  // An answer was given again.
  void CountReplay() { replays_.fetch_add(1, std::memory_order_relaxed); }

  // Removes what need not be kept any more, in steps of bounded size; blocks. By one thread.
  void Sweep();

  RequestStats stats() const;

 private:
  struct Client {
    Client(Revision id, uint64_t floor) : window(id, floor) {}

    absl::Mutex mutex;
    RequestWindow window ABSL_GUARDED_BY(mutex);
    bool forgotten ABSL_GUARDED_BY(mutex) = false;
    absl::flat_hash_map<uint64_t, std::vector<Waiter>> waiters ABSL_GUARDED_BY(mutex);
    size_t waiting ABSL_GUARDED_BY(mutex) = 0;
    ClientRecord record;  // The sweeper's own: as it is in the engine.
    std::atomic<base::UnixMs> last_used{0};
  };
  using ClientPtr = std::shared_ptr<Client>;
  using Clients = absl::flat_hash_map<Revision, ClientPtr>;

  // Bounds how long one step keeps writers waiting.
  static constexpr size_t kReceiptsPerStep = 256;
  // Of one client; more are refused.
  static constexpr size_t kMaxWaiters = 1024;

  RequestRegistry(const Context& context, const std::string& store_id,
                  const RequestOptions& options);

  absl::Status AdoptClient(const EntryView& entry);
  absl::Status AdoptReceipt(const EntryView& entry);
  void WriteRecord(Revision id, Outstanding::Token token, Registered done);
  void EndRegistration();
  void AddClient(Revision id, const ClientRecord& record);

  ClientPtr Find(Revision id) const;
  std::vector<std::pair<Revision, ClientPtr>> All() const;
  absl::Status Full(absl::string_view what);
  bool NeedsRoom() const;

  absl::Status TrimAll(base::UnixMs now);
  absl::Status Trim(Revision id, Client& client, base::UnixMs now);
  absl::Status ForgetIdle(base::UnixMs now);
  absl::Status Forget(Revision id, Client& client);
  absl::Status RemoveDoomed();
  absl::Status RemoveAll(std::deque<std::string>& keys);
  void Doom(const RequestWindow::Removal& removal);

  const Context on_;
  const std::string store_id_;
  const RequestOptions options_;

  mutable absl::Mutex mutex_;
  Clients clients_ ABSL_GUARDED_BY(mutex_);
  size_t registering_ ABSL_GUARDED_BY(mutex_) = 0;

  std::atomic<int64_t> kept_{0};
  std::atomic<int64_t> bytes_{0};
  std::atomic<uint64_t> replays_{0};
  std::atomic<uint64_t> refused_{0};

  // The sweeper's own: keys to be deleted, all of the former before any of the latter.
  std::deque<std::string> doomed_records_;
  std::deque<std::string> doomed_receipts_;
  base::UnixMs next_sweep_ = 0;
  bool failing_ = false;
};

}  // namespace tarn::storage
