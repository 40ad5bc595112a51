// Removes what has expired, in the background.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "storage/base/clock.h"
#include "storage/engine.h"
#include "storage/scan_sessions.h"

namespace tarn::storage {

// Looks after the engine's expired entries, the sessions of scans that nobody came back for, and
// the receipts that need not be kept, on a thread of its own from construction to destruction.
// Nothing depends on it but memory and disk: what has expired is not seen anyway.
class Sweeper {
 public:
  struct Options {
    size_t entries_per_step = 256;
    absl::Duration interval = absl::Milliseconds(100);
  };

  // `also` is done once in each round.
  using Chore = absl::AnyInvocable<void()>;
  Sweeper(
      const Options& options, Engine& engine, ScanSessions& sessions, const base::Clock& clock,
      Chore also = [] {});
  ~Sweeper();

  // One round: steps until nothing is left, or half an interval has passed; so it never takes more
  // than about half of one processor, however much expires.
  void SweepOnce();

  uint64_t swept() const { return swept_.load(std::memory_order_relaxed); }

 private:
  void Work();

  const Options options_;
  Engine& engine_;
  ScanSessions& sessions_;
  const base::Clock& clock_;
  Chore also_;
  std::atomic<uint64_t> swept_{0};
  std::atomic<bool> failing_{false};  // The last round failed: it has been said.

  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tarn::storage
