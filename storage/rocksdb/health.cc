#include "storage/rocksdb/health.h"

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

void Health::OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status* error) {
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
  base::LogError("rocksdb: ", text);
}

// One place decides when to try again, and it knows which commits are unsettled.
void Health::OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/,
                                  rocksdb::Status /*error*/, bool* auto_recovery) {
  *auto_recovery = false;
}

}  // namespace tarn::storage::rocks
