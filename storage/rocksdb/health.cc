#include "storage/rocksdb/health.h"

#include "storage/base/logging.h"

namespace tarn::storage::rocks {

std::string Health::cause() const {
  absl::MutexLock lock(&mutex_);
  return cause_;
}

void Health::ReadOnly(const std::string& cause) {
  {
    absl::MutexLock lock(&mutex_);
    cause_ = cause;
  }
  only_full_.store(true, std::memory_order_release);
  impaired_.store(true, std::memory_order_release);
  stopped_.store(true, std::memory_order_release);
}

void Health::OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status* error) {
  CountError();
  const std::string text = error->ToString();
  {
    absl::MutexLock lock(&mutex_);
    cause_ = text;
  }
  // Others may follow from the first.
  if (!impaired()) only_full_.store(error->IsNoSpace(), std::memory_order_release);
  impaired_.store(true, std::memory_order_release);
  if (error->severity() >= rocksdb::Status::Severity::kHardError) {
    stopped_.store(true, std::memory_order_release);
  }
  base::LogError("rocksdb: ", text);
}

// RocksDB's own recovery is not used: see Recovery.
void Health::OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/,
                                  rocksdb::Status /*error*/, bool* auto_recovery) {
  *auto_recovery = false;
}

}  // namespace tarn::storage::rocks
