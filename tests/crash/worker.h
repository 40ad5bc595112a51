// A client that keeps writing to keys of its own, and knows what must be there.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tarn/v1/state.grpc.pb.h"
#include "tests/crash/journal.h"

namespace tarn::testing {

// What all workers of a run share with the test that kills the daemon under them. Thread-safe.
class Run {
 public:
  explicit Run(int workers) : working_(workers) {}

  void Acknowledge();
  void EndWork();

  // Blocks until as many batches have been acknowledged, or nobody works any more.
  void AwaitAcknowledged(uint64_t batches);
  uint64_t acknowledged() const;

  // From now on calls may fail.
  void BeginKilling() { killing_ = true; }
  bool killing() const { return killing_; }

 private:
  std::atomic<bool> killing_{false};
  mutable absl::Mutex mutex_;
  uint64_t acknowledged_ ABSL_GUARDED_BY(mutex_) = 0;
  int working_ ABSL_GUARDED_BY(mutex_);
};

// What all workers write to. Their sum is always zero.
inline constexpr int kAccounts = 10;
inline constexpr char kAccountPrefix[] = "account/";

// Used by one thread at a time.
class Worker {
 public:
  Worker(int number, uint32_t seed);

  // Its keys begin with this, and nobody else's do.
  const std::string& prefix() const { return prefix_; }

  // Sends one batch after another until the daemon is gone.
  void Work(tarn::v1::StateService::StubInterface& daemon, Run& run);

  // After a restart, with what the store holds below prefix().
  void Settle(const Contents& found);

  // What was wrong so far, one line each.
  const std::vector<std::string>& wrong() const { return wrong_; }

  uint64_t highest_revision() const { return journal_.highest_revision(); }
  uint64_t refusals() const { return refusals_; }

  // What became of the worker's attempts that were not answered.
  uint64_t unanswered() const { return unanswered_; }

 private:
  // A batch, and what it does if it is done. One that must be refused does nothing.
  struct Plan {
    tarn::v1::BatchRequest request;
    Attempt attempt;
    std::string refusal;  // The code it must be refused with; empty: it must be done.
  };

  Plan NextPlan();
  Plan Changes();
  Plan Refused();
  Plan Transfer();
  void AddChange(Plan& plan, const std::string& key);
  void AddPut(Plan& plan, const std::string& key);
  void AddIncrement(Plan& plan, const std::string& key);
  void AddAppend(Plan& plan, const std::string& key);
  // Whether the daemon still answers.
  bool Send(tarn::v1::StateService::StubInterface& daemon, Run& run, Plan plan);
  void Answered(const Plan& plan, const tarn::v1::BatchResponse& response);

  uint64_t Below(uint64_t bound) {
    return std::uniform_int_distribution<uint64_t>(0, bound - 1)(random_);
  }
  std::string AnyKey();
  std::string NewValue(const char* kind);
  void Wrong(const std::string& what) { wrong_.push_back(prefix_ + ": " + what); }

  const std::string prefix_;
  std::mt19937 random_;
  Journal journal_;
  uint64_t sequence_ = 0;
  uint64_t refusals_ = 0;
  uint64_t unanswered_ = 0;
  std::vector<std::string> wrong_;
};

}  // namespace tarn::testing
