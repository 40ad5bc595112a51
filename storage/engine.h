// What a storage engine is. Engines differ in speed and durability, never in meaning:
// tests/contract runs the same cases over each of them, and tests/model compares each with an
// ordered map.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "storage/batch.h"
#include "storage/limits.h"
#include "storage/namespaces.h"
#include "storage/revision.h"
#include "storage/snapshot.h"
#include "storage/usage.h"

namespace tarn::storage {

// Who a store is and how often it has been opened. See store_identity.h for the rules.
struct StoreMeta {
  std::string store_id;  // 32 lower-case hexadecimal digits.
  Incarnation incarnation = 0;
};

// What a snapshot is opened for decides who gives way when snapshots cost too much.
enum class SnapshotPurpose : uint8_t {
  kScan,        // The oldest ends first (ABORTED, SNAPSHOT_EXPIRED).
  kCheckpoint,  // Ends only when no scan's is left to end.
};

// Replaces everything a store holds. Built beside it, and switched to at once; destroyed without
// Publish, it leaves no trace.
class BulkLoad {
 public:
  virtual ~BulkLoad() = default;

  // As Engine::SetPlacement, for what is loaded: before the namespace's first entry is added.
  virtual void SetPlacement(NamespaceId /*ns*/, Placement /*placement*/) {}

  // Adds entries with their revisions and deadlines; each key once. Thread-safe; fastest when each
  // call's entries ascend and calls from different threads do not interleave their ranges. Expired
  // entries are taken as they are.
  virtual absl::Status Add(absl::Span<const EntryView> entries) = 0;

  // Makes what was added the store's content, durably where the engine is durable, and starts
  // `meta.incarnation`. Nothing may be under way on the engine: no batch, no snapshot. At most
  // once. On failure the old content stays.
  virtual absl::Status Publish(const StoreMeta& meta) = 0;
};

struct SweepResult {
  uint64_t removed = 0;
  bool more = false;  // Stopped by the budget: there is more to remove.
};

struct EngineStats {
  Revision revision = 0;            // The newest committed.
  uint64_t memory_bytes = 0;        // What the engine holds in memory, as well as it knows.
  uint64_t memory_limit_bytes = 0;  // 0: none of its own.
  uint64_t disk_bytes = 0;
  uint64_t disk_free_bytes = 0;
  uint64_t snapshots = 0;
  uint64_t snapshot_bytes = 0;  // Kept only because a snapshot needs it.
  uint64_t queued_batches = 0;  // Waiting for a commit or a read.
  uint64_t queue_limit = 0;
  uint64_t errors = 0;  // I/O and other failures of the engine itself since the start.
  bool writable =
      true;  // False while the engine refuses growth (disk full) or all writes (damaged).
};

// The guarantees every engine gives:
//
// Order. A read submitted after a write was acknowledged sees it. Of two overlapping writes either
// may be first, and every reader agrees which; revisions tell. Two batches submitted by one thread,
// the second without waiting for the first, take effect in that order on every key they share;
// reads among them only with ReadOrder::kSubmitted.
//
// Outcome. A completion without an error means done, as durably as the engine promises. An error
// means nothing was done, except UNKNOWN (OUTCOME_UNKNOWN).
//
// Threads. All functions are thread-safe and none blocks for I/O, except OpenSnapshot,
// BeginBulkLoad, ReadMeta, WriteMeta and SweepExpired, which may and are called from threads that
// can wait. Destroying an engine waits until every completion has been called; nothing may be
// submitted by then.
//
// Limits. Keys, batches and preconditions were checked by the caller (the Store). The engine checks
// what only it can see before it changes anything: the size an append results in (VALUE_TOO_LARGE),
// the size of the answer (RESPONSE_TOO_LARGE, counting kResultOverheadBytes a result), the quota
// (QUOTA_EXCEEDED) and its own room (MEMORY_LIMIT, DISK_FULL, QUEUE_FULL). At such a limit, reads,
// deletes and whatever does not grow the store still work.
class Engine {
 public:
  virtual ~Engine() = default;

  virtual void Run(const Batch& batch, Completion done) = 0;

  // Calls back, perhaps at once, when every write whose completion reported OUTCOME_UNKNOWN before
  // this call has taken effect or never will.
  virtual void WhenSettled(absl::AnyInvocable<void() &&> settled) { std::move(settled)(); }

  // RESOURCE_EXHAUSTED (TOO_MANY_SNAPSHOTS) when as many as allowed are open and none may be ended
  // for this one.
  virtual absl::StatusOr<std::unique_ptr<Snapshot>> OpenSnapshot(SnapshotPurpose purpose) = 0;

  virtual absl::StatusOr<std::unique_ptr<BulkLoad>> BeginBulkLoad() = 0;

  // Removes up to `max_entries` entries whose deadline has passed, invisibly: no revision, no
  // change. Entries that an open snapshot may still show stay.
  virtual absl::StatusOr<SweepResult> SweepExpired(size_t max_entries) = 0;

  virtual EngineStats Stats() const = 0;

  // What the store says of itself; nothing when it was never initialised, which is what "empty"
  // means.
  virtual absl::StatusOr<std::optional<StoreMeta>> ReadMeta() = 0;

  // Durable when it returns OK. Called before the first commit: from the first call on, revisions
  // count in `meta.incarnation`. Later calls only persist a higher incarnation as used up (see
  // ReserveNextIncarnation); the running counter goes on.
  virtual absl::Status WriteMeta(const StoreMeta& meta) = 0;

  // Where the keys of a namespace go, on engines that have more than one place for them. Said
  // before the namespace is used first; changed only while it is empty. A namespace of which
  // nothing was said is spread; the system namespace is together, but for receipts.
  virtual void SetPlacement(NamespaceId /*ns*/, Placement /*placement*/) {}

  // Whether every completion of Run is called before Run returns.
  virtual bool completes_inline() const { return false; }

  // Whether it is empty at every start because it lives with the process: then the data directory
  // alone says who the store is.
  virtual bool starts_empty() const { return false; }

  // Whether other daemons can reach it: then a new data directory joins the store that it holds.
  virtual bool is_shared() const { return false; }

  // "memory", "rocksdb", "redis".
  virtual absl::string_view name() const = 0;

  // One sentence for operators: what an acknowledged write survives.
  virtual absl::string_view durability() const = 0;
};

}  // namespace tarn::storage
