// What RocksDB says of its own failures.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "rocksdb/listener.h"

namespace tarn::storage::rocks {

// Hears of every error that RocksDB meets on its own threads or while it writes. Thread-safe;
// shared by a database and its engine.
class Health final : public rocksdb::EventListener {
 public:
  // RocksDB refuses writes until it is resumed.
  bool stopped() const { return stopped_.load(std::memory_order_acquire); }
  // There is something to resume from: stopped, or only its background work is.
  bool impaired() const { return impaired_.load(std::memory_order_acquire); }
  uint64_t errors() const { return errors_.load(std::memory_order_relaxed); }
  // The newest error, for people.
  std::string cause() const;

  void CountError() { errors_.fetch_add(1, std::memory_order_relaxed); }
  void Resumed();

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason reason, rocksdb::Status error,
                            bool* auto_recovery) override;

 private:
  std::atomic<bool> stopped_{false};
  std::atomic<bool> impaired_{false};
  std::atomic<uint64_t> errors_{0};
  mutable absl::Mutex mutex_;
  std::string cause_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::storage::rocks
