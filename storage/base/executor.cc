#include "storage/base/executor.h"

#include <pthread.h>

#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "storage/base/error.h"

namespace tarn::base {
namespace {

// The kernel shows 15 bytes of a thread's name; three are for its number.
constexpr size_t kShownNameBytes = 12;

}  // namespace

struct ThreadPool::State {
  explicit State(const Options& options)
      : name(options.name.substr(0, kShownNameBytes)), max_queued(options.max_queued) {}

  // Runs tasks until the pool is being destroyed and nothing is left.
  void Work();
  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mutex) { return !queue.empty() || stopping; }

  const std::string name;
  const size_t max_queued;
  std::vector<std::thread> threads;  // Touched by the pool's owner only.

  mutable absl::Mutex mutex;
  std::deque<Task> queue ABSL_GUARDED_BY(mutex);
  bool stopping ABSL_GUARDED_BY(mutex) = false;
};

void ThreadPool::State::Work() {
  for (;;) {
    Task task;
    {
      absl::MutexLock lock(&mutex, absl::Condition(this, &State::HasWork));
      if (queue.empty()) return;
      task = std::move(queue.front());
      queue.pop_front();
    }
    std::move(task)();
  }
}

ThreadPool::ThreadPool(const Options& options) : state_(std::make_unique<State>(options)) {
  for (int i = 0; i < options.threads; ++i) {
    state_->threads.emplace_back([state = state_.get(), i] {
      pthread_setname_np(pthread_self(), absl::StrCat(state->name, "-", i % 100).c_str());
      state->Work();
    });
  }
}

ThreadPool::~ThreadPool() {
  {
    absl::MutexLock lock(&state_->mutex);
    state_->stopping = true;
  }
  for (std::thread& thread : state_->threads) thread.join();
}

absl::Status ThreadPool::Submit(Task task) {
  absl::MutexLock lock(&state_->mutex);
  if (state_->stopping) {
    return MakeError(absl::StatusCode::kUnavailable, Reason::kDraining,
                     absl::StrCat(state_->name, " is shutting down"));
  }
  if (state_->queue.size() >= state_->max_queued) {
    return MakeError(
        absl::StatusCode::kResourceExhausted, Reason::kQueueFull,
        absl::StrCat(state_->name, " has ", state_->queue.size(), " tasks waiting already"));
  }
  state_->queue.push_back(std::move(task));
  return absl::OkStatus();
}

size_t ThreadPool::queued() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->queue.size();
}

}  // namespace tarn::base
