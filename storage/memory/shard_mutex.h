// The lock over one shard.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace tarn::storage::memory {

// Hears of every lock of a shard, for measurements. Called by the thread that holds it, which may
// hold several. Thread-safe.
class LockMonitor {
 public:
  virtual ~LockMonitor() = default;
  virtual void OnLocked() = 0;     // Just taken.
  virtual void OnUnlocking() = 0;  // About to be given up.
};

// Readers and one writer. In cache lines of its own, so that taking one lock does not take another
// one's line away.
class ABSL_LOCKABLE alignas(64) ShardMutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    mutex_.WriterLock();
    if (monitor_ != nullptr) monitor_->OnLocked();
  }
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    if (monitor_ != nullptr) monitor_->OnUnlocking();
    mutex_.WriterUnlock();
  }
  void ReaderLock() ABSL_SHARED_LOCK_FUNCTION() {
    mutex_.ReaderLock();
    if (monitor_ != nullptr) monitor_->OnLocked();
  }
  void ReaderUnlock() ABSL_UNLOCK_FUNCTION() {
    if (monitor_ != nullptr) monitor_->OnUnlocking();
    mutex_.ReaderUnlock();
  }

  // Before anybody uses it. The monitor outlives it.
  void SetMonitor(LockMonitor* monitor) { monitor_ = monitor; }

 private:
  absl::Mutex mutex_;
  LockMonitor* monitor_ = nullptr;
};

class ABSL_SCOPED_LOCKABLE ShardWriterLock {
 public:
  explicit ShardWriterLock(ShardMutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~ShardWriterLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  ShardWriterLock(const ShardWriterLock&) = delete;
  ShardWriterLock& operator=(const ShardWriterLock&) = delete;

 private:
  ShardMutex& mutex_;
};

class ABSL_SCOPED_LOCKABLE ShardReaderLock {
 public:
  explicit ShardReaderLock(ShardMutex& mutex) ABSL_SHARED_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_.ReaderLock();
  }
  ~ShardReaderLock() ABSL_UNLOCK_FUNCTION() { mutex_.ReaderUnlock(); }
  ShardReaderLock(const ShardReaderLock&) = delete;
  ShardReaderLock& operator=(const ShardReaderLock&) = delete;

 private:
  ShardMutex& mutex_;
};

}  // namespace tarn::storage::memory
