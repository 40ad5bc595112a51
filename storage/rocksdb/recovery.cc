#include "storage/rocksdb/recovery.h"

#include <algorithm>

#include "storage/base/logging.h"

namespace tarn::storage::rocks {
namespace {

uint64_t EntriesInMemory(const Database& database) {
  uint64_t sum = 0;
  database.db().GetAggregatedIntProperty(rocksdb::DB::Properties::kNumEntriesActiveMemTable, &sum);
  return sum;
}

// Keeps something in memory: see Resume. Not logged, for the log is what must not be trusted yet.
bool TouchMemory(const Database& database) {
  const absl::StatusOr<Revision> committed = database.ReadCommit(nullptr);
  if (!committed.ok()) return false;
  rocksdb::WriteBatch batch;
  database.PutCommit(*committed, batch);
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  return database.db().Write(options, &batch).ok();
}

}  // namespace

bool Recovery::Attempt(Database& database) {
  Health& health = database.health();
  if (!health.impaired()) return true;
  const int64_t now = clock_.MonotonicNanos();
  if (now < next_attempt_ns_) return !health.stopped();
  next_attempt_ns_ = now + pause_ns_;
  pause_ns_ = std::min(2 * pause_ns_, kLongestPauseNanos);
  if (!Resume(database)) return !health.stopped();
  base::LogInfo("rocksdb: resumed after its error");
  return true;
}

// RocksDB 7.8 begins a new log only when it has something in memory to write out. With nothing
// there it would say that all is well, and go on with the log that failed, for ever.
bool Recovery::Resume(Database& database) {
  if (EntriesInMemory(database) == 0) return false;
  if (!database.db().Resume().ok()) return false;
  if (!TouchMemory(database)) return false;
  database.health().Resumed();
  return true;
}

}  // namespace tarn::storage::rocks
