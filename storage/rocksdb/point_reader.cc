#include "storage/rocksdb/point_reader.h"

#include <utility>
#include <vector>

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

// Many keys looked up at once.
struct PointReader::Lookups {
  explicit Lookups(absl::Span<const Operation> operations)
      : values(operations.size()), statuses(operations.size()) {
    keys.reserve(operations.size());
    for (const Operation& operation : operations) {
      char* const bytes = key_bytes.Allocate(EntryKey::Size(operation.key));
      EntryKey::Write(operation.ns, operation.key, bytes);
      keys.emplace_back(bytes, EntryKey::Size(operation.key));
    }
  }

  base::Arena key_bytes;
  std::vector<rocksdb::Slice> keys;
  std::vector<rocksdb::PinnableSlice> values;
  std::vector<rocksdb::Status> statuses;
};

PointReader::PointReader(const Limits& limits, const base::Clock& clock)
    : limits_(limits),
      clock_(clock),
      from_memory_(MakeReadOptions(rocksdb::kBlockCacheTier)),
      from_disk_(MakeReadOptions(rocksdb::kReadAllTier)) {}

ReadOutcome PointReader::Read(const Database& database, const Batch& batch, ReadFrom from,
                              BatchResult& result) const {
  if (from == ReadFrom::kDisk) {
    ReadFromDisk(database, batch, result);
  } else if (ReadFromMemory(database, batch, result) == ReadOutcome::kNotInMemory) {
    return ReadOutcome::kNotInMemory;
  }
  if (batch.mode == BatchMode::kAtomic) JudgeAtomic(result);
  return ReadOutcome::kAnswered;
}

// One by one: RocksDB 7.8's MultiGet goes to the disk even when it is told not to.
ReadOutcome PointReader::ReadFromMemory(const Database& database, const Batch& batch,
                                        BatchResult& result) const {
  const absl::Span<const Operation> operations = batch.operations;
  std::optional<FixedState> state;
  rocksdb::ReadOptions options = from_memory_;
  if (batch.mode == BatchMode::kAtomic && operations.size() > 1) {
    options.snapshot = state.emplace(database.db()).get();
  }
  const base::UnixMs now = clock_.Now();
  ResponseMeter meter(limits_, operations.size());
  rocksdb::PinnableSlice value;
  for (const Operation& operation : operations) {
    const EntryKey key(operation.ns, operation.key);
    const rocksdb::Status status =
        database.db().Get(options, database.entries(), ToSlice(key.view()), &value);
    if (status.IsIncomplete()) return ReadOutcome::kNotInMemory;
    result.results.push_back(
        Answer(operation, InterpretGet(status, value), now, limits_, meter, result.arena));
    value.Reset();
  }
  return ReadOutcome::kAnswered;
}

void PointReader::ReadFromDisk(const Database& database, const Batch& batch,
                               BatchResult& result) const {
  const absl::Span<const Operation> operations = batch.operations;
  Lookups lookups(operations);
  std::optional<FixedState> state;
  rocksdb::ReadOptions options = from_disk_;
  if (batch.mode == BatchMode::kAtomic) options.snapshot = state.emplace(database.db()).get();
  database.db().MultiGet(options, database.entries(), lookups.keys.size(), lookups.keys.data(),
                         lookups.values.data(), lookups.statuses.data());
  const base::UnixMs now = clock_.Now();
  ResponseMeter meter(limits_, operations.size());
  for (size_t i = 0; i < operations.size(); ++i) {
    result.results.push_back(Answer(operations[i],
                                    InterpretGet(lookups.statuses[i], lookups.values[i]), now,
                                    limits_, meter, result.arena));
  }
}

}  // namespace tarn::storage::rocks
