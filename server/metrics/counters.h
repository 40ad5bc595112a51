// What the server counts on its hot path, without locks and without a metrics library.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "storage/base/error.h"
#include "storage/batch.h"

namespace tarn::server {

// Every call the server answers.
enum class Rpc : uint8_t {
  kGet,
  kPut,
  kDelete,
  kTake,
  kIncrement,
  kAppend,
  kTouch,
  kBatch,
  kRegisterClient,
  kScan,
  kCount,
  kDeleteRange,
  kPipeline,
  kGetServerInfo,
  kGetStats,
  kCreateNamespace,
  kGetNamespace,
  kListNamespaces,
  kUpdateNamespace,
  kDeleteNamespace,
  kCreateCheckpoint,
  kGetCheckpoint,
  kListCheckpoints,
  kVerifyCheckpoint,
  kDeleteCheckpoint,
  kPinCheckpoint,
  kUnpinCheckpoint,
  kRestoreCheckpoint,
  kGetCheckpointEntry,
  kDiffCheckpoints,
  kExportCheckpoint,
  kImportCheckpoint,
  kGetJob,
  kListJobs,
  kWatchJob,
  kCancelJob,
  kAcquireLock,
  kRenewLock,
  kReleaseLock,
  kGetLock,
  kListLocks,
  kForceReleaseLock,
  kJoinGroup,
  kGetGroup,
  kListGroups,
  kDeleteGroup,
  kHealthCheck,
  kHealthWatch,
  kReflection,
};
inline constexpr size_t kRpcs = static_cast<size_t>(Rpc::kReflection) + 1;

absl::string_view RpcName(Rpc rpc);

// How one operation of a batch ended.
enum class OperationOutcome : uint8_t {
  kHit,           // Done, and there was an entry.
  kMiss,          // Done, and there was none.
  kPrecondition,  // Not done: what was demanded of the key was not so.
  kFailed,        // Not done for any other reason.
};
inline constexpr size_t kOperationOutcomes = 4;
inline constexpr size_t kOperationKinds = 7;

absl::string_view OperationOutcomeName(OperationOutcome outcome);
absl::string_view OperationKindName(storage::OperationKind kind);

// The operations of one batch, counted on the stack.
struct OperationTally {
  std::array<std::array<uint32_t, kOperationOutcomes>, kOperationKinds> counts = {};
  uint64_t bytes_in = 0;   // Keys and values of requests.
  uint64_t bytes_out = 0;  // Keys and values of answers.
  // Of the operations that failed by themselves, in a batch that did not.
  absl::InlinedVector<base::Reason, 2> errors;

  void Count(storage::OperationKind kind, OperationOutcome outcome) {
    ++counts[static_cast<size_t>(kind)][static_cast<size_t>(outcome)];
  }
};

// The upper bounds of the latency histogram's buckets in nanoseconds; one more bucket has none.
inline constexpr std::array<int64_t, 16> kLatencyBoundsNs = {
    25'000,      50'000,        100'000,        250'000,       500'000,    1'000'000,
    2'500'000,   5'000'000,     10'000'000,     25'000'000,    50'000'000, 100'000'000,
    250'000'000, 1'000'000'000, 10'000'000'000, 60'000'000'000};
inline constexpr size_t kLatencyBuckets = kLatencyBoundsNs.size() + 1;
inline constexpr size_t kCodes = 17;  // gRPC's canonical ones.

// The totals at one moment (not quite: what is counted meanwhile may be in some of them and not in
// others).
struct CounterTotals {
  std::array<std::array<uint64_t, kCodes>, kRpcs> calls = {};
  std::array<std::array<uint64_t, kLatencyBuckets>, kRpcs> latency = {};
  std::array<uint64_t, kRpcs> latency_sum_ns = {};
  std::array<std::array<uint64_t, kOperationOutcomes>, kOperationKinds> operations = {};
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  uint64_t batches = 0;
  uint64_t scanned_entries = 0;
  uint64_t retries_advised = 0;
  std::array<uint64_t, base::kReasons> errors = {};
};

// Thread-safe. Every core counts in cache lines of its own: an addition costs what it costs without
// other threads.
class Counters {
 public:
  Counters();
  ~Counters();

  // A call arrived, and later ended with this code.
  void BeginCall();
  void EndCall(Rpc rpc, int code, int64_t nanos);
  void AddBatch(const OperationTally& tally);
  // A batch of one operation.
  void AddOperation(storage::OperationKind kind, OperationOutcome outcome, uint64_t bytes_in,
                    uint64_t bytes_out);
  // A caller was told an error: of a call, a pipeline's batch, or one operation.
  void AddError(base::Reason reason);
  // It came with the advice to try again.
  void AddRetryAdvised();
  void AddScanned(uint64_t entries, uint64_t bytes_out);

  // Pipeline streams open now.
  void AddPipelines(int change) { pipelines_.fetch_add(change, std::memory_order_relaxed); }
  int64_t pipelines() const { return pipelines_.load(std::memory_order_relaxed); }

  // Calls that have begun and not ended; perhaps a few too many while others begin and end.
  int64_t calls_in_flight() const;

  CounterTotals Read() const;

 private:
  struct Stripe;

  Stripe& Mine();

  const size_t stripes_count_;
  std::unique_ptr<Stripe[]> stripes_;
  std::atomic<int64_t> pipelines_{0};
};

}  // namespace tarn::server
