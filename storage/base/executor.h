// Where work runs that must not run on the caller's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

namespace tarn::base {

using Task = absl::AnyInvocable<void() &&>;

// Thread-safe. Tasks may start in any order and run at the same time.
class Executor {
 public:
  virtual ~Executor() = default;

  // Runs `task` later, exactly once, when OK is returned. RESOURCE_EXHAUSTED (QUEUE_FULL) when as
  // many tasks as allowed are waiting already, UNAVAILABLE (DRAINING) once it is being destroyed:
  // the task is destroyed without having run.
  virtual absl::Status Submit(Task task) = 0;
};

// A fixed number of threads behind one bounded queue.
class ThreadPool final : public Executor {
 public:
  struct Options {
    std::string name =
        "pool";       // Of the threads, for people who look at them; at most 12 bytes are shown.
    int threads = 4;  // Blocking reads overlap; two cores do not gain from many more.
    size_t max_queued =
        10'000;  // About what a second of work amounts to; more would only add latency.
  };

  explicit ThreadPool(const Options& options);

  // Runs what is queued, then joins the threads.
  ~ThreadPool() override;

  absl::Status Submit(Task task) override;

  // Tasks that wait for a thread now.
  size_t queued() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tarn::base
