// How the database is brought back after a failure.
#pragma once

#include <cstdint>

#include "storage/base/clock.h"
#include "storage/rocksdb/database.h"

namespace tarn::storage::rocks {

// Tries to resume an impaired database, at intervals that grow until a write has succeeded. Used by
// the writer's thread only.
class Recovery {
 public:
  static constexpr int64_t kFirstPauseNanos = 100'000'000;
  static constexpr int64_t kLongestPauseNanos = 10'000'000'000;

  explicit Recovery(const base::Clock& clock) : clock_(clock) {}

  // Whether the database takes writes now. When it does not and an attempt is due, makes one; that
  // may take as long as writing out what is in memory.
  bool Attempt(Database& database);

  // A write was done: the next failure is a new one.
  void Succeeded() {
    next_attempt_ns_ = 0;
    pause_ns_ = kFirstPauseNanos;
  }

 private:
  static bool Resume(Database& database);

  const base::Clock& clock_;
  int64_t next_attempt_ns_ = 0;
  int64_t pause_ns_ = kFirstPauseNanos;
};

}  // namespace tarn::storage::rocks
