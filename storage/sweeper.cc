#include "storage/sweeper.h"

#include <utility>

#include "storage/base/logging.h"

namespace tarn::storage {

Sweeper::Sweeper(const Options& options, Engine& engine, ScanSessions& sessions,
                 const base::Clock& clock, Chore also)
    : options_(options),
      engine_(engine),
      sessions_(sessions),
      clock_(clock),
      also_(std::move(also)),
      thread_([this] { Work(); }) {}

Sweeper::~Sweeper() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void Sweeper::Work() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), options_.interval)) return;
    }
    SweepOnce();
  }
}

void Sweeper::SweepOnce() {
  sessions_.EndExpired();
  also_();
  const int64_t start = clock_.MonotonicNanos();
  do {
    const absl::StatusOr<SweepResult> step = engine_.SweepExpired(options_.entries_per_step);
    if (!step.ok()) {
      if (!failing_.exchange(true)) base::LogWarning("sweeping fails: ", step.status().message());
      return;
    }
    failing_.store(false);
    swept_.fetch_add(step->removed, std::memory_order_relaxed);
    if (!step->more) return;
  } while (absl::Nanoseconds(clock_.MonotonicNanos() - start) < options_.interval / 2);
}

}  // namespace tarn::storage
