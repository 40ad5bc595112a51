// How the database is brought back after the disk was full.
#pragma once

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "storage/base/clock.h"
#include "storage/rocksdb/disk_watch.h"
#include "storage/rocksdb/live_database.h"

namespace tarn::storage::rocks {

// Opens the database again when there is space again. Of RocksDB's own way, DB::Resume, release 7.8
// was seen to wait for ever, to abort the process, and to go on with the log that had failed.
//
// Only a full disk is recovered from. One that fails to write, or to sync, may have lost what was
// written before and is still in memory; nothing is written to it, and nothing is closed.
//
// Used by the writer's thread only.
class Recovery {
 public:
  // Between attempts, growing until a write has succeeded.
  static constexpr int64_t kFirstPauseNanos = 100'000'000;
  static constexpr int64_t kLongestPauseNanos = 10'000'000'000;
  // Free space that an attempt needs besides what it writes out of memory.
  static constexpr uint64_t kMarginBytes = 4 << 20;

  // Replaces the database in use by one that was opened anew, or by none.
  using Reopen = absl::AnyInvocable<void()>;

  Recovery(const base::Clock& clock, DiskWatch& disk, const LiveDatabase& database, Reopen reopen)
      : clock_(clock), disk_(disk), database_(database), reopen_(std::move(reopen)) {}

  // Something may be wrong with the database: the first attempt is due after a pause from now.
  void Notice();

  // Whether the database takes writes now. When something is wrong with it and an attempt is due,
  // makes one; that may take as long as reading the log.
  bool Attempt();

  // A write was done: the next failure is a new one.
  void Succeeded() { pause_ns_ = kFirstPauseNanos; }

 private:
  bool Healthy() const;
  bool Writable() const;
  bool CanHelp();

  const base::Clock& clock_;
  DiskWatch& disk_;
  const LiveDatabase& database_;
  Reopen reopen_;
  bool noticed_ = false;
  int64_t next_attempt_ns_ = 0;  // Once noticed.
  int64_t pause_ns_ = kFirstPauseNanos;
};

}  // namespace tarn::storage::rocks
