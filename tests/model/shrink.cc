#include "tests/model/shrink.h"

#include <algorithm>
#include <utility>

namespace tarn::testing {
namespace {

class Shrinker {
 public:
  Shrinker(std::vector<Step> steps, const StillFails& still_fails, int max_attempts)
      : steps_(std::move(steps)), still_fails_(still_fails), attempts_left_(max_attempts) {}

  std::vector<Step> Run() {
    size_t before = 0;
    do {
      before = steps_.size() + OperationsIn(steps_);
      LeaveOutSteps();
      for (size_t i = 0; i < steps_.size(); ++i) ShrinkStep(i);
    } while (steps_.size() + OperationsIn(steps_) < before && attempts_left_ > 0);
    return std::move(steps_);
  }

 private:
  // Takes the candidate if it still fails.
  bool Try(std::vector<Step> candidate) {
    if (attempts_left_ <= 0) return false;
    --attempts_left_;
    if (!still_fails_(candidate)) return false;
    steps_ = std::move(candidate);
    return true;
  }

  void LeaveOutSteps() {
    for (size_t piece = steps_.size() / 2; piece > 0; piece /= 2) {
      for (size_t at = 0; at < steps_.size();) {
        std::vector<Step> candidate = steps_;
        const size_t end = std::min(at + piece, candidate.size());
        candidate.erase(candidate.begin() + static_cast<std::ptrdiff_t>(at),
                        candidate.begin() + static_cast<std::ptrdiff_t>(end));
        if (!Try(std::move(candidate))) at += piece;
      }
    }
  }

  void ShrinkStep(size_t index) {
    if (std::holds_alternative<LoadStep>(steps_[index])) return LeaveOutEntries(index);
    if (std::holds_alternative<ReadStep>(steps_[index])) return ShrinkPages(index);
    if (!std::holds_alternative<RunStep>(steps_[index])) return;
    LeaveOutBatches(index);
    LeaveOutOperations(index);
    LeaveOutDetails(index);
  }

  RunStep& RunAt(std::vector<Step>& steps, size_t index) { return std::get<RunStep>(steps[index]); }

  void LeaveOutBatches(size_t index) {
    for (size_t at = 0;
         RunAt(steps_, index).batches.size() > 1 && at < RunAt(steps_, index).batches.size();) {
      std::vector<Step> candidate = steps_;
      auto& batches = RunAt(candidate, index).batches;
      batches.erase(batches.begin() + static_cast<std::ptrdiff_t>(at));
      if (!Try(std::move(candidate))) ++at;
    }
  }

  void LeaveOutOperations(size_t index) {
    for (size_t batch = 0; batch < RunAt(steps_, index).batches.size(); ++batch) {
      const auto size = [&] { return RunAt(steps_, index).batches[batch].ops.size(); };
      for (size_t at = 0; size() > 1 && at < size();) {
        std::vector<Step> candidate = steps_;
        auto& ops = RunAt(candidate, index).batches[batch].ops;
        ops.erase(ops.begin() + static_cast<std::ptrdiff_t>(at));
        if (!Try(std::move(candidate))) ++at;
      }
    }
  }

  // Deadlines, preconditions and long values that have nothing to do with it only mislead.
  void LeaveOutDetails(size_t index) {
    for (size_t batch = 0; batch < RunAt(steps_, index).batches.size(); ++batch) {
      for (size_t at = 0; at < RunAt(steps_, index).batches[batch].ops.size(); ++at) {
        TryOn(index, batch, at, [](PlannedOp& planned) { planned.ttl_ms.reset(); });
        TryOn(index, batch, at, [](PlannedOp& planned) {
          planned.op.value.resize(std::min<size_t>(planned.op.value.size(), 1));
        });
        TryOn(index, batch, at, [](PlannedOp& planned) {
          planned.op.precondition = {};
          planned.revision = PlannedOp::RevisionChoice::kAsIs;
        });
      }
    }
  }

  // Small pages need few entries to go wrong.
  void ShrinkPages(size_t index) {
    const auto halve = [&](auto member) {
      std::vector<Step> candidate = steps_;
      auto& number = member(std::get<ReadStep>(candidate[index]));
      if (number <= 1) return false;
      number /= 2;
      return Try(std::move(candidate));
    };
    while (halve([](ReadStep& step) -> int& { return step.pages; })) {
    }
    while (halve([](ReadStep& step) -> size_t& { return step.budget.max_entries; })) {
    }
  }

  void TryOn(size_t index, size_t batch, size_t at, const std::function<void(PlannedOp&)>& change) {
    std::vector<Step> candidate = steps_;
    change(RunAt(candidate, index).batches[batch].ops[at]);
    Try(std::move(candidate));
  }

  void LeaveOutEntries(size_t index) {
    const auto entries = [index](std::vector<Step> & steps) -> auto& {
      return std::get<LoadStep>(steps[index]).entries;
    };
    for (size_t piece = entries(steps_).size(); piece > 0; piece /= 2) {
      for (size_t at = 0; at < entries(steps_).size();) {
        std::vector<Step> candidate = steps_;
        auto& loaded = entries(candidate);
        const size_t end = std::min(at + piece, loaded.size());
        loaded.erase(loaded.begin() + static_cast<std::ptrdiff_t>(at),
                     loaded.begin() + static_cast<std::ptrdiff_t>(end));
        if (!Try(std::move(candidate))) at += piece;
      }
    }
  }

  std::vector<Step> steps_;
  const StillFails& still_fails_;
  int attempts_left_;
};

}  // namespace

std::vector<Step> Shrink(std::vector<Step> steps, const StillFails& still_fails, int max_attempts) {
  return Shrinker(std::move(steps), still_fails, max_attempts).Run();
}

}  // namespace tarn::testing
