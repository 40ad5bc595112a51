// What RocksDB says of its own failures.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "rocksdb/listener.h"
#include "rocksdb/status.h"

namespace tarn::storage::rocks {

using ErrorCount = std::atomic<uint64_t>;

// Hears of every error that RocksDB meets on its own threads or while it writes. Thread-safe; lives
// as long as its database.
class Health final : public rocksdb::EventListener {
 public:
  // `errors` outlives the database and goes on from one to the next.
  explicit Health(std::shared_ptr<ErrorCount> errors) : errors_(std::move(errors)) {}

  // RocksDB takes no more writes.
  bool stopped() const { return stopped_.load(std::memory_order_acquire); }
  // Something failed: it is stopped, or does no more work in the background.
  bool impaired() const { return impaired_.load(std::memory_order_acquire); }
  // What failed first was only that the disk had no space.
  bool only_full() const { return only_full_.load(std::memory_order_acquire); }
  // The newest error, for people.
  std::string cause() const;

  // An error that RocksDB gave as an answer.
  void CountError() { errors_->fetch_add(1, std::memory_order_relaxed); }
  // The database was opened for reading only, because of `cause`, which may pass.
  void ReadOnly(const std::string& cause);

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason reason, rocksdb::Status error,
                            bool* auto_recovery) override;

 private:
  const std::shared_ptr<ErrorCount> errors_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> impaired_{false};
  std::atomic<bool> only_full_{false};
  mutable absl::Mutex mutex_;
  std::string cause_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::storage::rocks
