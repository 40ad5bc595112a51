#include "server/metrics/counters.h"

#include <sched.h>

#include <algorithm>
#include <thread>

namespace tarn::server {
namespace {

using Counter = std::atomic<uint64_t>;

void Add(Counter& counter, uint64_t amount) {
  counter.fetch_add(amount, std::memory_order_relaxed);
}

uint64_t Get(const Counter& counter) { return counter.load(std::memory_order_relaxed); }

size_t BucketOf(int64_t nanos) {
  return std::lower_bound(kLatencyBoundsNs.begin(), kLatencyBoundsNs.end(), nanos) -
         kLatencyBoundsNs.begin();
}

}  // namespace

struct alignas(64) Counters::Stripe {
  std::array<std::array<Counter, kCodes>, kRpcs> calls = {};
  std::array<std::array<Counter, kLatencyBuckets>, kRpcs> latency = {};
  std::array<Counter, kRpcs> latency_sum_ns = {};
  std::array<std::array<Counter, kOperationOutcomes>, kOperationKinds> operations = {};
  Counter bytes_in{0};
  Counter bytes_out{0};
  Counter batches{0};
  Counter scanned_entries{0};
  Counter retries_advised{0};
  std::array<Counter, base::kReasons> errors = {};
  Counter begun_calls{0};
  Counter ended_calls{0};

  void AddTo(CounterTotals* totals) const;
};

void Counters::Stripe::AddTo(CounterTotals* totals) const {
  for (size_t rpc = 0; rpc < kRpcs; ++rpc) {
    for (size_t code = 0; code < kCodes; ++code) totals->calls[rpc][code] += Get(calls[rpc][code]);
    for (size_t bucket = 0; bucket < kLatencyBuckets; ++bucket) {
      totals->latency[rpc][bucket] += Get(latency[rpc][bucket]);
    }
    totals->latency_sum_ns[rpc] += Get(latency_sum_ns[rpc]);
  }
  for (size_t kind = 0; kind < kOperationKinds; ++kind) {
    for (size_t outcome = 0; outcome < kOperationOutcomes; ++outcome) {
      totals->operations[kind][outcome] += Get(operations[kind][outcome]);
    }
  }
  totals->bytes_in += Get(bytes_in);
  totals->bytes_out += Get(bytes_out);
  totals->batches += Get(batches);
  totals->scanned_entries += Get(scanned_entries);
  totals->retries_advised += Get(retries_advised);
  for (size_t reason = 0; reason < base::kReasons; ++reason)
    totals->errors[reason] += Get(errors[reason]);
}

Counters::Counters()
    : stripes_count_(std::clamp<size_t>(std::thread::hardware_concurrency(), 1, 64)),
      stripes_(new Stripe[stripes_count_]) {}

Counters::~Counters() = default;

// The core may change right after it was asked for: then two threads share a stripe for a moment,
// which is only slower.
Counters::Stripe& Counters::Mine() {
  const int core = sched_getcpu();
  return stripes_[core < 0 ? 0 : static_cast<size_t>(core) % stripes_count_];
}

void Counters::BeginCall() { Add(Mine().begun_calls, 1); }

void Counters::EndCall(Rpc rpc, int code, int64_t nanos) {
  Stripe& stripe = Mine();
  const auto index = static_cast<size_t>(rpc);
  const size_t known_code =
      code >= 0 && code < static_cast<int>(kCodes) ? static_cast<size_t>(code) : 2;  // UNKNOWN
  Add(stripe.ended_calls, 1);
  Add(stripe.calls[index][known_code], 1);
  Add(stripe.latency[index][BucketOf(nanos)], 1);
  Add(stripe.latency_sum_ns[index], std::max<int64_t>(nanos, 0));
}

void Counters::AddBatch(const OperationTally& tally) {
  Stripe& stripe = Mine();
  for (size_t kind = 0; kind < kOperationKinds; ++kind) {
    for (size_t outcome = 0; outcome < kOperationOutcomes; ++outcome) {
      if (tally.counts[kind][outcome] > 0)
        Add(stripe.operations[kind][outcome], tally.counts[kind][outcome]);
    }
  }
  Add(stripe.bytes_in, tally.bytes_in);
  Add(stripe.bytes_out, tally.bytes_out);
  Add(stripe.batches, 1);
  for (const base::Reason reason : tally.errors) AddError(reason);
}

void Counters::AddOperation(storage::OperationKind kind, OperationOutcome outcome,
                            uint64_t bytes_in, uint64_t bytes_out) {
  Stripe& stripe = Mine();
  Add(stripe.operations[static_cast<size_t>(kind)][static_cast<size_t>(outcome)], 1);
  Add(stripe.bytes_in, bytes_in);
  Add(stripe.bytes_out, bytes_out);
  Add(stripe.batches, 1);
}

void Counters::AddError(base::Reason reason) { Add(Mine().errors[static_cast<size_t>(reason)], 1); }

void Counters::AddRetryAdvised() { Add(Mine().retries_advised, 1); }

void Counters::AddScanned(uint64_t entries, uint64_t bytes_out) {
  Stripe& stripe = Mine();
  Add(stripe.scanned_entries, entries);
  Add(stripe.bytes_out, bytes_out);
}

// Ends are read first: what begins and ends meanwhile is then counted as begun only.
int64_t Counters::calls_in_flight() const {
  uint64_t ended = 0;
  uint64_t begun = 0;
  for (size_t i = 0; i < stripes_count_; ++i)
    ended += stripes_[i].ended_calls.load(std::memory_order_acquire);
  for (size_t i = 0; i < stripes_count_; ++i)
    begun += stripes_[i].begun_calls.load(std::memory_order_acquire);
  return static_cast<int64_t>(begun - ended);
}

CounterTotals Counters::Read() const {
  CounterTotals totals;
  for (size_t i = 0; i < stripes_count_; ++i) stripes_[i].AddTo(&totals);
  return totals;
}

absl::string_view RpcName(Rpc rpc) {
  static constexpr absl::string_view kNames[] = {"Get",
                                                 "Put",
                                                 "Delete",
                                                 "Take",
                                                 "Increment",
                                                 "Append",
                                                 "Touch",
                                                 "Batch",
                                                 "RegisterClient",
                                                 "Scan",
                                                 "Count",
                                                 "DeleteRange",
                                                 "Pipeline",
                                                 "GetServerInfo",
                                                 "GetStats",
                                                 "CreateNamespace",
                                                 "GetNamespace",
                                                 "ListNamespaces",
                                                 "UpdateNamespace",
                                                 "DeleteNamespace",
                                                 "CreateCheckpoint",
                                                 "GetCheckpoint",
                                                 "ListCheckpoints",
                                                 "VerifyCheckpoint",
                                                 "DeleteCheckpoint",
                                                 "PinCheckpoint",
                                                 "UnpinCheckpoint",
                                                 "RestoreCheckpoint",
                                                 "GetCheckpointEntry",
                                                 "DiffCheckpoints",
                                                 "ExportCheckpoint",
                                                 "ImportCheckpoint",
                                                 "GetJob",
                                                 "ListJobs",
                                                 "WatchJob",
                                                 "CancelJob",
                                                 "AcquireLock",
                                                 "RenewLock",
                                                 "ReleaseLock",
                                                 "GetLock",
                                                 "ListLocks",
                                                 "ForceReleaseLock",
                                                 "JoinGroup",
                                                 "GetGroup",
                                                 "ListGroups",
                                                 "DeleteGroup",
                                                 "Check",
                                                 "Watch",
                                                 "ServerReflectionInfo"};
  static_assert(std::size(kNames) == kRpcs, "each call has a name");
  return kNames[static_cast<size_t>(rpc)];
}

absl::string_view OperationOutcomeName(OperationOutcome outcome) {
  static constexpr absl::string_view kNames[] = {"hit", "miss", "precondition", "error"};
  static_assert(std::size(kNames) == kOperationOutcomes, "each outcome has a name");
  return kNames[static_cast<size_t>(outcome)];
}

absl::string_view OperationKindName(storage::OperationKind kind) {
  static constexpr absl::string_view kNames[] = {"get",       "put",    "delete", "take",
                                                 "increment", "append", "touch"};
  static_assert(std::size(kNames) == kOperationKinds, "each kind has a name");
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace tarn::server
