// One store: an engine, and everything above it that is the same for all engines.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "storage/base/boot_clock.h"
#include "storage/base/clock.h"
#include "storage/base/executor.h"
#include "storage/base/random.h"
#include "storage/batch.h"
#include "storage/engine.h"
#include "storage/limits.h"
#include "storage/locks/fence.h"
#include "storage/locks/locks.h"
#include "storage/namespaces.h"
#include "storage/snapshot.h"
#include "storage/usage.h"

namespace tarn::storage {

// What happens to a write for a namespace that nobody created.
enum class NamespaceCreation : uint8_t {
  kOnFirstWrite,  // It is created with default settings; reads of it find nothing.
  kExplicit,      // FAILED_PRECONDITION (NAMESPACE_NOT_FOUND), for reads too.
};

// What is kept so that writes are safe to repeat.
struct RequestOptions {
  // An answer is kept until it is older than that, and its client has used so many higher ids.
  absl::Duration kept_for = absl::Minutes(10);
  uint64_t kept_requests = 100'000;
  // A client that sends nothing for so long is forgotten. Longer than any sensible retry; what it
  // bounds is what crashed workers leave behind.
  absl::Duration idle_lifetime = absl::Hours(24);
  // Of all receipts, and of what is known of them in memory. At either bound, what is new is
  // refused, and clients that were silent for longer than kept_for are forgotten early.
  size_t max_bytes = 256 << 20;
  size_t max_clients = 4096;
};

struct StoreOptions {
  Limits limits;
  RequestOptions requests;
  NamespaceCreation namespace_creation = NamespaceCreation::kOnFirstWrite;
  // How long a scan whose caller went away can be resumed at its revision.
  absl::Duration scan_lifetime = absl::Seconds(60);
  // Likewise when it was read to its end in more than one chunk: the last ones may have been lost
  // with the connection. Short, because every finished scan costs it.
  absl::Duration scan_linger = absl::Seconds(5);
  size_t max_open_scans = 128;  // Each holds a snapshot.
  size_t sweep_entries_per_step =
      256;  // Bounds how long one step of the sweeper keeps writers waiting.
  absl::Duration sweep_interval = absl::Milliseconds(100);
};

// What makes a write safe to repeat: who sends it, and which of its requests this is.
struct RequestId {
  Revision client = 0;   // 0: none.
  uint64_t request = 0;  // From 1 on.

  bool empty() const { return client == 0 && request == 0; }
};

// Gives a batch its receipts, once its namespace is known. See identified_batch.h.
class ReceiptMaker;

// A batch as a client sends it. The operations belong to the caller until completion; the Store
// fills in the fields that only it knows (namespace number, deadline).
struct BatchRequest {
  absl::string_view ns;  // Empty: kDefaultNamespace.
  BatchMode mode = BatchMode::kIndependent;
  ReadOrder read_order = ReadOrder::kCommitted;
  absl::Span<Operation> operations;
  RequestId id;
  ReceiptMaker* receipts = nullptr;  // The Store's own.
  WriteFence fence;                  // Else FAILED_PRECONDITION (FENCED), and nothing is done.
  const Caller* caller = nullptr;    // See Batch.
};

// Which keys: all with `prefix`, or from `start` (inclusive) to `end` (exclusive); all of the
// namespace when everything is empty. INVALID_ARGUMENT (INVALID_RANGE): a prefix together with
// start or end, start after end (equal ones make an empty range), and anything longer than the key
// that follows the longest one.
struct KeyBounds {
  std::string prefix;
  std::string start;
  std::string end;
};

struct ScanRequest {
  std::string ns;
  KeyBounds bounds;
  ScanOptions options;
  uint64_t limit = 0;        // Entries in all; 0: no bound. A resumed scan counts anew.
  size_t chunk_bytes = 0;    // 0: the default; more than the maximum is taken as the maximum.
  std::string resume_token;  // Continue behind the entry it was given with; all else must be as in
                             // the first request.
};

// Valid during the callback that is given it.
struct ScanChunk {
  absl::Span<const EntryView> entries;
  Revision revision = 0;
  std::string resume_token;  // Empty: the scan has ended.
};

// A running scan. As a Cursor: one Next at a time. Destroying it before its end keeps its snapshot
// for scan_lifetime, so that it can be resumed; destroying it at its end keeps it for scan_linger,
// or not at all when no chunk had a token.
class Scan {
 public:
  virtual ~Scan() = default;
  using Done = absl::AnyInvocable<void(const absl::Status&, const ScanChunk&) &&>;
  virtual void Next(Done done) = 0;
};

// Asked between steps of long work: true ends it with CANCELLED.
using StopRequested = absl::AnyInvocable<bool() const>;

struct CountResult {
  uint64_t entries = 0;
  Revision revision = 0;
};

struct DeleteRangeResult {
  uint64_t entries = 0;   // Removed.
  Revision revision = 0;  // Of the last commit; 0 when nothing was removed.
};

struct RequestStats {
  uint64_t clients = 0;
  uint64_t requests = 0;  // Whose answers are kept.
  uint64_t bytes = 0;
  uint64_t max_bytes = 0;
  uint64_t replays = 0;  // Since the start: answers given again,
  uint64_t refused = 0;  // and requests refused for lack of room.
};

struct StoreStats {
  std::string store_id;
  Incarnation incarnation = 0;
  EngineStats engine;
  uint64_t swept_entries = 0;  // Since the start.
  uint64_t open_scans = 0;
  absl::Duration oldest_scan_age;  // Since its snapshot was opened; zero without scans.
  uint64_t namespaces = 0;
  RequestStats requests;
};

// Thread-safe. Outlives everything it hands out; its engine, ledger, clock and executor outlive it,
// and destroying it waits for its tasks on the executor and for the writes under way. Completions
// and `Done` callbacks follow the rules of Completion: once, perhaps inline, without a lock held.
class Store {
 public:
  struct Dependencies {
    Engine& engine;
    UsageLedger& ledger;  // The one the engine keeps.
    base::Clock& clock;
    base::Executor& executor;  // For long and blocking work.
    base::RandomSource& random;
    const base::BootClock& boot = base::TheSystemBootClock();
  };

  template <typename T>
  using Done = absl::AnyInvocable<void(absl::StatusOr<T>) &&>;

  // Reads the namespaces from the engine, creates the default one if need be, and starts the
  // sweeper.
  static absl::StatusOr<std::unique_ptr<Store>> Open(const Dependencies& dependencies,
                                                     const StoreMeta& meta,
                                                     const StoreOptions& options);
  virtual ~Store() = default;

  // Checks limits, namespace and TTLs, then runs the batch. Besides the engine's errors:
  // INVALID_KEY, KEY_TOO_LARGE, VALUE_TOO_LARGE, BATCH_TOO_LARGE, INVALID_REQUEST (no operations),
  // INVALID_TTL, INVALID_PRECONDITION, DUPLICATE_KEY, INVALID_NAMESPACE_NAME, NAMESPACE_NOT_FOUND,
  // TOO_MANY_NAMESPACES, FENCED, INVALID_LOCK. A bad operation of an independent batch fails alone;
  // of an atomic one, all.
  //
  // With an id, each write of it is done at most once, and a repetition gets the answers of what
  // was done (see RegisterClient in proto/tarn/v1/state.proto). Besides: UNKNOWN_CLIENT,
  // REQUEST_TOO_OLD, REQUEST_MISMATCH, RECEIPTS_FULL. Of a batch that only reads the id means
  // nothing.
  virtual void Run(const BatchRequest& request, Completion done) = 0;

  // Issues a client id, durably where the engine is durable. RECEIPTS_FULL.
  virtual void RegisterClient(Done<Revision> done) = 0;

  // Besides: INVALID_RANGE, INVALID_RESUME_TOKEN, SNAPSHOT_EXPIRED, TOO_MANY_SNAPSHOTS.
  virtual void OpenScan(const ScanRequest& request, Done<std::unique_ptr<Scan>> done) = 0;

  virtual void Count(absl::string_view ns, const KeyBounds& bounds, StopRequested stop,
                     Done<CountResult> done) = 0;

  // Removes the entries that existed at its start and have not been written since, in bounded
  // commits, each of which the fence is judged for. After an error or CANCELLED some may be gone;
  // doing it again is right.
  virtual void DeleteRange(absl::string_view ns, const KeyBounds& bounds, const WriteFence& fence,
                           StopRequested stop, Done<DeleteRangeResult> done) = 0;

  // FAILED_PRECONDITION (NAMESPACE_EXISTS) when there is one of that name, whatever its settings.
  virtual void CreateNamespace(absl::string_view name, const NamespaceSettings& settings,
                               Done<NamespaceInfo> done) = 0;
  // Replaces all settings. With `expected`, only if the namespace's revision is that: else ABORTED
  // (REVISION_MISMATCH). A placement can be changed only while the namespace is empty
  // (NAMESPACE_NOT_EMPTY).
  virtual void UpdateNamespace(absl::string_view name, const NamespaceSettings& settings,
                               std::optional<Revision> expected, Done<NamespaceInfo> done) = 0;
  // Only an empty one (NAMESPACE_NOT_EMPTY), and never the default one (DEFAULT_NAMESPACE);
  // `expected` as above. A write that overlaps it may create the namespace again.
  virtual void DeleteNamespace(absl::string_view name, std::optional<Revision> expected,
                               Done<NamespaceInfo> done) = 0;
  // FAILED_PRECONDITION (NAMESPACE_NOT_FOUND) when there is none.
  virtual absl::StatusOr<NamespaceInfo> GetNamespace(absl::string_view name) const = 0;
  // In order of name, those after `after`, at most `max`.
  virtual std::vector<NamespaceInfo> ListNamespaces(absl::string_view after, size_t max) const = 0;

  virtual Locks& locks() = 0;

  virtual StoreStats Stats() const = 0;
  virtual const Limits& limits() const = 0;
  virtual const RequestOptions& request_options() const = 0;
  virtual Engine& engine() = 0;
};

}  // namespace tarn::storage
