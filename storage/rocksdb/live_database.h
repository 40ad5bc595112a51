// The database in use, and who uses it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "storage/rocksdb/database.h"

namespace tarn::storage::rocks {

// Counts readers who come and go all the time, without making them wait for one another.
// Thread-safe.
class ReaderGate {
 public:
  // Where the reader is counted: give it back to Leave.
  using Place = size_t;

  // False when the gate is closed; then there is nothing to leave.
  bool Enter(Place place);
  void Leave(Place place);

  // Threads should have different ones.
  static Place PlaceOfThisThread();

  // Lets nobody in from now on, and returns when everybody has left.
  void Close();
  void Open() { closed_.store(false); }

 private:
  static constexpr size_t kPlaces = 16;
  struct alignas(64) Counter {
    std::atomic<int64_t> readers{0};
  };

  bool Empty() const;

  std::array<Counter, kPlaces> counters_;
  std::atomic<bool> closed_{false};
  absl::Mutex mutex_;  // Held by who leaves a closed gate, so that Close looks again.
};

// Readers hold the database with a pin, for the length of one look-up; or share it, for as long as
// a snapshot lasts. The writer closes it and opens another: after a failure, or to publish a load.
class LiveDatabase {
 public:
  explicit LiveDatabase(std::unique_ptr<Database> database);
  ~LiveDatabase();

  class Pin {
   public:
    explicit Pin(const LiveDatabase& live);
    ~Pin();
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

    // False while there is no database.
    explicit operator bool() const { return database_ != nullptr; }
    const Database& operator*() const { return *database_; }

   private:
    const LiveDatabase& live_;
    const ReaderGate::Place place_;
    const Database* database_ = nullptr;
  };

  // Any thread. Null while there is no database.
  std::shared_ptr<Database> Share() const;

  // The writer's thread only. Null while there is no database.
  Database* get() const { return current_.load(std::memory_order_relaxed); }
  // Returns when nobody uses the database any more and it has been closed.
  void Close();
  // After Close.
  void Open(std::unique_ptr<Database> database);

 private:
  mutable ReaderGate gate_;
  std::atomic<Database*> current_{nullptr};
  mutable absl::Mutex mutex_;
  std::shared_ptr<Database> shared_ ABSL_GUARDED_BY(mutex_);
  int open_databases_ ABSL_GUARDED_BY(mutex_) = 0;
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
