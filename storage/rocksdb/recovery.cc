#include "storage/rocksdb/recovery.h"

#include <algorithm>

#include "storage/base/logging.h"

namespace tarn::storage::rocks {

bool Recovery::Healthy() const {
  const Database* const database = database_.get();
  return database != nullptr && !database->health().impaired();
}

bool Recovery::Writable() const {
  const Database* const database = database_.get();
  return database != nullptr && !database->health().stopped();
}

// Whether to open it again is of use. An attempt on a full disk makes things worse.
bool Recovery::CanHelp() {
  const Database* const database = database_.get();
  uint64_t in_memory = 0;
  if (database != nullptr) {
    if (!database->health().only_full()) return false;
    database->db().GetAggregatedIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables,
                                            &in_memory);
  }
  return disk_.FreeBytesNow() >= in_memory + kMarginBytes;
}

void Recovery::Notice() {
  if (noticed_ || Healthy()) return;
  noticed_ = true;
  next_attempt_ns_ = clock_.MonotonicNanos() + pause_ns_;
}

bool Recovery::Attempt() {
  if (Healthy()) return true;
  Notice();
  const int64_t now = clock_.MonotonicNanos();
  if (now < next_attempt_ns_) return Writable();
  pause_ns_ = std::min(2 * pause_ns_, kLongestPauseNanos);
  next_attempt_ns_ = now + pause_ns_;
  if (!CanHelp()) return Writable();
  base::LogInfo("rocksdb: the disk has space again, opening the database anew");
  reopen_();
  if (Healthy()) noticed_ = false;
  return Writable();
}

}  // namespace tarn::storage::rocks
