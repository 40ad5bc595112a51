#include "storage/rocksdb/point_reader.h"

#include <utility>

#include "storage/evaluate.h"
#include "storage/rocksdb/answer.h"
#include "storage/rocksdb/layout.h"
#include "storage/rocksdb/row.h"
#include "storage/rocksdb/slice.h"

namespace tarn::storage::rocks {
namespace {

rocksdb::ReadOptions MakeReadOptions(rocksdb::ReadTier tier) {
  rocksdb::ReadOptions options;
  options.read_tier = tier;
  return options;
}

// A state of the database that does not change.
class FixedState {
 public:
  explicit FixedState(rocksdb::DB& db) : db_(db), snapshot_(db.GetSnapshot()) {}
  ~FixedState() { db_.ReleaseSnapshot(snapshot_); }
  FixedState(const FixedState&) = delete;
  FixedState& operator=(const FixedState&) = delete;

  const rocksdb::Snapshot* get() const { return snapshot_; }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* const snapshot_;
};

OperationResult Answer(const Operation& operation, const absl::StatusOr<Row>& row, base::UnixMs now,
                       const Limits& limits, ResponseMeter& meter, base::Arena& arena) {
  if (!row.ok()) return NotDone(row.status());
  const Found entry = LiveEntry(*row, now);
  const Evaluation evaluation(operation, entry, limits);
  if (!evaluation.status.ok()) return NotDone(evaluation.status);
  if (absl::Status status = meter.Add(entry.value.size()); !status.ok()) {
    return NotDone(std::move(status));
  }
  OperationResult result = ResultOf(operation, entry, evaluation, 0);
  result.value = arena.Copy(entry.value);
  return result;
}

// An atomic batch fails as a whole with the first of its operations that does.
void JudgeAtomic(BatchResult& result) {
  for (size_t i = 0; i < result.results.size(); ++i) {
    const absl::Status status = result.results[i].status;
    if (!status.ok()) return Refuse(result, status, i);
  }
}

}  // namespace

PointReader::PointReader(const Limits& limits, const base::Clock& clock)
    : limits_(limits),
      clock_(clock),
      from_memory_(MakeReadOptions(rocksdb::kBlockCacheTier)),
      from_disk_(MakeReadOptions(rocksdb::kReadAllTier)) {}

// An atomic batch must see one state. That nothing was committed meanwhile is enough, and most
// often so; and a snapshot would make RocksDB compact what it had kept for it.
ReadOutcome PointReader::Read(const Database& database, const Batch& batch, ReadFrom from,
                              BatchResult& result) const {
  const absl::Span<const Operation> operations = batch.operations;
  const rocksdb::ReadOptions& options = from == ReadFrom::kMemory ? from_memory_ : from_disk_;
  if (batch.mode == BatchMode::kIndependent || operations.size() == 1) {
    return LookUp(database, batch, options, result);
  }
  const rocksdb::SequenceNumber before = database.db().GetLatestSequenceNumber();
  const ReadOutcome outcome = LookUp(database, batch, options, result);
  if (outcome == ReadOutcome::kNotInMemory) return outcome;
  if (database.db().GetLatestSequenceNumber() == before) return outcome;
  const FixedState state(database.db());
  rocksdb::ReadOptions fixed = options;
  fixed.snapshot = state.get();
  return LookUp(database, batch, fixed, result);
}

// One by one. MultiGet would save a fifth of the time, but that of RocksDB 7.8 goes to the disk
// even when it is told not to, and reads all values before it can be known that they are too many.
ReadOutcome PointReader::LookUp(const Database& database, const Batch& batch,
                                const rocksdb::ReadOptions& options, BatchResult& result) const {
  result.results.clear();
  result.arena.Reset();
  const base::UnixMs now = clock_.Now();
  ResponseMeter meter(limits_, batch.operations.size());
  rocksdb::PinnableSlice value;
  for (const Operation& operation : batch.operations) {
    const EntryKey key(operation.ns, operation.key);
    const rocksdb::Status status =
        database.db().Get(options, database.entries(), ToSlice(key.view()), &value);
    if (status.IsIncomplete()) return ReadOutcome::kNotInMemory;
    result.results.push_back(
        Answer(operation, InterpretGet(status, value), now, limits_, meter, result.arena));
    value.Reset();
  }
  if (batch.mode == BatchMode::kAtomic) JudgeAtomic(result);
  return ReadOutcome::kAnswered;
}

}  // namespace tarn::storage::rocks
