#include "storage/rocksdb/health.h"

#include <algorithm>

#include "storage/base/logging.h"

namespace tarn::storage::rocks {

std::string Health::cause() const {
  absl::MutexLock lock(&mutex_);
  return cause_;
}

void Health::Resumed() {
  stopped_.store(false, std::memory_order_release);
  impaired_.store(false, std::memory_order_release);
}

void Health::OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) {
  CountError();
  const std::string text = error->ToString();
  {
    absl::MutexLock lock(&mutex_);
    cause_ = text;
  }
  impaired_.store(true, std::memory_order_release);
  if (error->severity() >= rocksdb::Status::Severity::kHardError) {
    stopped_.store(true, std::memory_order_release);
  }
  base::LogError("rocksdb (", static_cast<int>(reason), "): ", text);
}

// One place decides when to try again, and it knows which commits are unsettled.
void Health::OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/,
                                  rocksdb::Status /*error*/, bool* auto_recovery) {
  *auto_recovery = false;
}

bool Recovery::Attempt(rocksdb::DB& db, Health& health) {
  if (!health.impaired()) return true;
  const int64_t now = clock_.MonotonicNanos();
  if (now < next_attempt_ns_) return !health.stopped();
  const rocksdb::Status status = db.Resume();
  if (status.ok()) {
    health.Resumed();
    pause_ns_ = kFirstPauseNanos;
    next_attempt_ns_ = 0;
    base::LogInfo("rocksdb: recovered from its error");
    return true;
  }
  next_attempt_ns_ = now + pause_ns_;
  pause_ns_ = std::min(2 * pause_ns_, kLongestPauseNanos);
  return !health.stopped();
}

}  // namespace tarn::storage::rocks
