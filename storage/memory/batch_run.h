// One batch on its way through the memory engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>

#include "absl/container/inlined_vector.h"
#include "storage/base/clock.h"
#include "storage/batch.h"
#include "storage/evaluate.h"
#include "storage/limits.h"
#include "storage/memory/snapshot_registry.h"
#include "storage/memory/table.h"
#include "storage/usage.h"

namespace tarn::storage::memory {

// Bytes held, as counted by footprints. Thread-safe.
struct MemoryGauge {
  std::atomic<int64_t> state_bytes{0};
  std::atomic<int64_t> image_bytes{0};

  void Add(const ShardChange& change) {
    if (change.memory_bytes != 0)
      state_bytes.fetch_add(change.memory_bytes, std::memory_order_relaxed);
    if (change.image_bytes != 0)
      image_bytes.fetch_add(change.image_bytes, std::memory_order_relaxed);
  }
};

// What a batch runs against. All of it belongs to the engine.
struct BatchContext {
  Table& table;
  const base::Clock& clock;
  const Limits& limits;
  RevisionSource& revisions;
  SnapshotRegistry& snapshots;
  UsageLedger& ledger;
  MemoryGauge& gauge;
  int64_t memory_limit_bytes;
};

// Used by one thread for one batch. Fills in the result that it is given.
class BatchRun {
 public:
  BatchRun(const BatchContext& context, const Batch& batch, BatchResult& result)
      : context_(context), batch_(batch), result_(result) {}

  void Run();

 private:
  // Keeps one lock's holding time bounded, whatever the batch's size.
  static constexpr size_t kIndependentRun = 128;

  // An operation of an atomic batch between being judged and being applied.
  struct Planned {
    Planned(const Operation& operation, Entry* c, const Found& f, const Limits& limits)
        : current(c), found(f), evaluation(operation, f, limits) {}
    Entry* current;
    Found found;
    Evaluation evaluation;
  };

  void RunOne();
  void RunAtomic();
  void RunIndependent();
  void RunStretch(size_t begin, size_t end, LockMode mode);
  void ReadStretch(size_t begin, size_t end);

  absl::Status PlanAll(std::deque<Planned>* plan);
  absl::Status Admit(const std::deque<Planned>& plan);
  void ApplyAll(std::deque<Planned>& plan);

  void RunSingle(const Operation& operation, const Probe& probe, Entry* current);
  OperationResult RunMutation(const Operation& operation, const Probe& probe, Entry* current,
                              const Found& found);
  ShardChange Apply(const Probe& probe, Entry* current, const Effect& effect, Revision revision,
                    const ImageNeeds& needs);
  void CollectSome(const Probe& probe);

  void WriteReceipt(const Receipt& receipt, Revision revision,
                    absl::Span<const Operation> operations,
                    absl::Span<const OperationResult> results);

  void MakeProbes();
  void Prefetch(size_t begin, size_t end);
  uint64_t ShardSet(size_t begin, size_t end) const;

  Found FoundIn(const Entry* entry);
  base::UnixMs Now();
  absl::Status TakeResponseBytes(const Operation& operation, const Found& found);
  absl::Status CheckMemory(int64_t growth) const;

  const BatchContext& context_;
  const Batch& batch_;
  BatchResult& result_;
  absl::InlinedVector<Probe, 1> probes_;
  base::UnixMs now_ = 0;  // Asked for only when an entry has a deadline.
  size_t response_bytes_ = 0;
};

}  // namespace tarn::storage::memory
