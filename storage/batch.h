// The narrow waist: everything that reads or writes state is a batch of operations.
#pragma once

#include <cstdint>
#include <limits>

#include "absl/container/inlined_vector.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "storage/base/arena.h"
#include "storage/base/clock.h"
#include "storage/revision.h"

namespace tarn::storage {

// Namespaces have numbers below the Store and names above it.
using NamespaceId = uint32_t;

// Holds what Tarn keeps about itself (the namespaces' settings, later locks and receipts). No
// client can address it.
inline constexpr NamespaceId kSystemNamespace = 0;

enum class OperationKind : uint8_t {
  kGet,
  kPut,
  kDelete,
  kTake,    // Get and delete.
  kAdd,     // To a 64-bit integer in canonical decimal text; a missing key counts as 0.
  kAppend,  // To the end of the value; a missing key counts as empty.
  kTouch,   // Changes the deadline only.
};

// What must be true of the key just before the operation; if it is not, the operation fails and
// changes nothing.
struct Precondition {
  enum class Kind : uint8_t {
    kNone,
    kAbsent,    // Else FAILED_PRECONDITION, ALREADY_EXISTS.
    kPresent,   // Else FAILED_PRECONDITION, KEY_NOT_FOUND.
    kRevision,  // The entry exists at exactly `revision`; else ABORTED, REVISION_MISMATCH, also on
                // a missing key.
  };
  Kind kind = Kind::kNone;
  Revision revision = 0;
};

// The caller's wish about the deadline. Only the Store reads it: engines see DeadlineRule and
// `deadline`.
struct Ttl {
  enum class Kind : uint8_t {
    kUnset,  // Put and creation: the namespace's default. Add and append on an existing entry: keep
             // what it has.
    kNever,
    kDuration,  // `milliseconds` from now; positive.
  };
  Kind kind = Kind::kUnset;
  int64_t milliseconds = 0;
};

enum class DeadlineRule : uint8_t {
  kSet,           // The entry gets `deadline`.
  kKeepExisting,  // A live entry keeps its own; a created one gets `deadline`.
};

// Makes a write recognisable when it is repeated: an entry of the system namespace that the engine
// adds in the same atomic step as the write, and in the slot of the write's keys (see
// ReceiptRoute). A view, as Operation is.
//
// It is written if and only if what it is about (one operation, or an atomic batch) succeeds, also
// when nothing was changed: then it is a commit alone, whose revision is in no result. Otherwise it
// has the revision of the write. Nobody else writes its key, and no entry of that key exists. Its
// size is no reason to refuse what frees space.
struct Receipt {
  absl::string_view key;     // ReceiptKey.
  absl::string_view header;  // ReceiptHeader: the value is what EncodeReceipt makes of it.
};

// One member of a batch. A view: the bytes belong to the caller and stay where they are until the
// batch completes.
struct Operation {
  OperationKind kind = OperationKind::kGet;
  DeadlineRule deadline_rule = DeadlineRule::kSet;
  NamespaceId ns = kSystemNamespace;
  Precondition precondition;
  absl::string_view key;
  absl::string_view value;  // Put: the value. Append: the suffix.
  int64_t delta = 0;        // Add.
  Ttl ttl;                  // Put, add, append, touch; resolved by the Store into the next field.
  base::UnixMs deadline = base::kNever;  // Absolute.
  // Of a mutation in an independent batch: what to leave behind. Null: nothing.
  const Receipt* receipt = nullptr;
};

enum class BatchMode : uint8_t {
  // Gets and preconditions see the one state just before the commit; any failure undoes all; one
  // revision for all. The
  // caller guarantees that no key is mutated twice.
  kAtomic,
  // In list order, each operation on its own: a result and a revision each.
  kIndependent,
};

// What a batch of reads must see.
enum class ReadOrder : uint8_t {
  kCommitted,  // Every write acknowledged before the batch was submitted.
  kSubmitted,  // Also every batch that the same caller submitted before, acknowledged or not.
};

// Who waits for a batch. Asked on any thread, until the batch completes and not after.
class Caller {
 public:
  static constexpr int64_t kForEver = std::numeric_limits<int64_t>::max();

  virtual ~Caller() = default;

  // How many milliseconds it still waits: 0 when it has gone, or its deadline has passed.
  virtual int64_t PatienceMs() const = 0;
};

struct Batch {
  BatchMode mode = BatchMode::kIndependent;
  ReadOrder read_order = ReadOrder::kCommitted;
  absl::Span<const Operation> operations;
  // Of an atomic batch with a mutation: what to leave behind, with all results. Null: nothing.
  const Receipt* receipt = nullptr;
  // An engine that waits, for a server or for another attempt, does not for longer than this one.
  // Null: somebody who waits for ever.
  const Caller* caller = nullptr;
};

// Which fields mean something depends on the operation:
//   get     found, value, revision and deadline of the entry
//   put     found (was there one before), revision (of the commit), deadline
//   delete  found, revision (of the commit; 0 when there was nothing to delete)
//   take    found, value, revision (as delete)
//   add     found, number (the sum), revision, deadline
//   append  found, size (of the value now, in bytes), revision, deadline
//   touch   found, revision (0 when there is no such entry), deadline
// A missing or expired key is an answer (found is false), never an error.
struct OperationResult {
  absl::Status status;  // Independent batches: why this operation was not done.
  bool found = false;
  bool replayed = false;  // What an earlier request of the same id was told. Engines leave it.
  Revision revision = 0;
  base::UnixMs deadline = base::kNever;
  int64_t number = 0;
  uint64_t size = 0;
  absl::string_view value;  // In the result's arena.
};

struct BatchResult {
  // Why nothing at all was done; OK otherwise. Of an atomic batch also the failure of one of its
  // operations, whose index is then `failed_operation`. An outcome that is not known is UNKNOWN
  // (OUTCOME_UNKNOWN).
  absl::Status status;
  size_t failed_operation = 0;
  Revision revision =
      0;  // Of an atomic commit; 0 when it changed nothing, and for independent batches.
  absl::InlinedVector<OperationResult, 1>
      results;  // One for each operation, in their order; empty when `status` is an error.
  base::Arena arena;
};

// Called exactly once, perhaps before the call that was given it returns, perhaps on another
// thread, never with a lock held. The result and all its views are valid during the call alone. It
// must not block.
using Completion = absl::AnyInvocable<void(BatchResult&) &&>;

inline bool IsMutation(OperationKind kind) { return kind != OperationKind::kGet; }

// Whether no operation of the batch can change anything.
inline bool IsReadOnly(absl::Span<const Operation> operations) {
  for (const Operation& operation : operations) {
    if (IsMutation(operation.kind)) return false;
  }
  return true;
}

}  // namespace tarn::storage
