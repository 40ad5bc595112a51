// The database in use, and work that goes on with it.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "storage/rocksdb/database.h"

namespace tarn::storage::rocks {

// Thread-safe. A published bulk load puts another database in its place.
class LiveDatabase {
 public:
  explicit LiveDatabase(std::shared_ptr<Database> database)
      : current_(database.get()), shared_(std::move(database)) {}

  // Stays open for as long as a batch, a snapshot or the caller's turn as the writer lasts.
  Database& operator*() const { return *current_.load(std::memory_order_acquire); }
  Database* operator->() const { return current_.load(std::memory_order_acquire); }

  // For work that may overlap a replacement.
  std::shared_ptr<Database> Share() const {
    absl::MutexLock lock(&mutex_);
    return shared_;
  }

  // Gives back the old one.
  std::shared_ptr<Database> Replace(std::shared_ptr<Database> database) {
    absl::MutexLock lock(&mutex_);
    current_.store(database.get(), std::memory_order_release);
    return std::exchange(shared_, std::move(database));
  }

 private:
  std::atomic<Database*> current_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<Database> shared_ ABSL_GUARDED_BY(mutex_);
};

// Counts what was handed to the executor, so that the engine's end can wait for it. Thread-safe.
class InFlight {
 public:
  // Held by each piece of work.
  class Token {
   public:
    explicit Token(InFlight& counter) : counter_(&counter) { counter_->Add(1); }
    Token(Token&& other) noexcept : counter_(std::exchange(other.counter_, nullptr)) {}
    Token& operator=(Token&&) = delete;
    ~Token() {
      if (counter_ != nullptr) counter_->Add(-1);
    }

   private:
    InFlight* counter_;
  };

  void WaitForNone() { absl::MutexLock lock(&mutex_, absl::Condition(this, &InFlight::None)); }

  size_t count() const {
    absl::MutexLock lock(&mutex_);
    return static_cast<size_t>(count_);
  }

 private:
  void Add(int change) {
    absl::MutexLock lock(&mutex_);
    count_ += change;
  }
  bool None() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return count_ == 0; }

  mutable absl::Mutex mutex_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tarn::storage::rocks
