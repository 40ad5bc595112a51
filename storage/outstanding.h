// Counts what still refers to an object, so that it can wait for that before it goes.
#pragma once

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace tarn::storage {

// Thread-safe. For work that is long or rare: it takes a lock.
class Outstanding {
 public:
  // One piece of work, until destroyed.
  class Token {
   public:
    explicit Token(Outstanding& counter) : counter_(&counter) { counter_->Add(1); }
    Token(Token&& other) noexcept : counter_(std::exchange(other.counter_, nullptr)) {}
    Token& operator=(Token&&) = delete;
    ~Token() {
      if (counter_ != nullptr) counter_->Add(-1);
    }

   private:
    Outstanding* counter_;
  };

  void WaitForNone() { absl::MutexLock lock(&mutex_, absl::Condition(this, &Outstanding::IsZero)); }

 private:
  void Add(int change) {
    absl::MutexLock lock(&mutex_);
    count_ += change;
  }
  bool IsZero() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return count_ == 0; }

  absl::Mutex mutex_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tarn::storage
