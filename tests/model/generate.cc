#include "tests/model/generate.h"

#include <algorithm>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tarn::testing {
namespace {

using storage::OperationKind;

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {
    namespaces_ = 1 + Below(3);
    static constexpr size_t kSizes[] = {2, 5, 12, 40, 120};
    const size_t keys = kSizes[Below(std::size(kSizes))];
    while (keys_.size() < keys) keys_.push_back(NewKey());
    longest_ttl_ = OneIn(2) ? 20 : 2'000;
    largest_batch_ = OneIn(3) ? 40 : 6;
    has_quotas_ = OneIn(3);
  }

  Step Next(bool reopen) {
    const size_t dice = Below(1'000);
    if (dice < 620) return Run();
    if (dice < 700) return AdvanceStep{Advance()};
    if (dice < 730) return SweepStep{OneIn(3) ? 1 + Below(3) : 1'000};
    if (dice < 780)
      return OpenStep{Slot(), OneIn(4) ? storage::SnapshotPurpose::kCheckpoint
                                       : storage::SnapshotPurpose::kScan};
    if (dice < 810) return CloseStep{Slot()};
    if (dice < 860) return Cursor();
    if (dice < 960) return ReadStep{Slot(), 1 + static_cast<int>(Below(4)), Budget()};
    if (dice < 966) return Load();
    if (dice < 975 && has_quotas_) return QuotaStep{Namespace(), {Bound(30), Bound(500)}};
    if (dice < 977 && reopen) return ReopenStep{};
    return CheckStep{};
  }

 private:
  size_t Below(size_t bound) {
    return std::uniform_int_distribution<size_t>(0, bound - 1)(random_);
  }
  bool OneIn(size_t n) { return Below(n) == 0; }
  int Slot() { return static_cast<int>(Below(kSlots)); }
  NamespaceId Namespace() { return static_cast<NamespaceId>(1 + Below(namespaces_)); }
  const std::string& Key() { return keys_[Below(keys_.size())]; }
  int64_t Bound(size_t most) { return OneIn(4) ? 0 : static_cast<int64_t>(1 + Below(most)); }
  int64_t Advance() {
    return static_cast<int64_t>(OneIn(3) ? 1 : 1 + Below(static_cast<size_t>(longest_ttl_)));
  }

  // Few different bytes, so that keys are prefixes of each other; the ones that mean something
  // elsewhere among them.
  std::string NewKey() {
    static constexpr char kBytes[] = {'\0', 'a', 'b', '*', '\x7F', '\x80', '\xFF'};
    std::string key;
    const size_t length = OneIn(40) ? 1'000 + Below(3'000) : 1 + Below(OneIn(3) ? 20 : 4);
    for (size_t i = 0; i < length; ++i) key.push_back(kBytes[Below(std::size(kBytes))]);
    return key;
  }

  std::string Value() {
    if (OneIn(3)) return absl::StrCat(static_cast<int64_t>(Below(200)) - 100);
    if (OneIn(50))
      return absl::StrCat(OneIn(2) ? std::numeric_limits<int64_t>::max()
                                   : std::numeric_limits<int64_t>::min());
    if (OneIn(50)) return OneIn(2) ? "-0" : absl::StrCat("0", Below(10));  // Not canonical.
    const size_t length = OneIn(20) ? 500 + Below(1'500) : Below(20);
    return std::string(length, static_cast<char>('A' + Below(26)));
  }

  std::optional<int64_t> Ttl() {
    if (OneIn(2)) return std::nullopt;
    if (OneIn(20)) return -static_cast<int64_t>(Below(2));
    return static_cast<int64_t>(1 + Below(static_cast<size_t>(longest_ttl_)));
  }

  OperationKind Kind() {
    static constexpr OperationKind kKinds[] = {
        OperationKind::kGet,  OperationKind::kGet,    OperationKind::kPut,
        OperationKind::kPut,  OperationKind::kAdd,    OperationKind::kDelete,
        OperationKind::kTake, OperationKind::kAppend, OperationKind::kTouch};
    return kKinds[Below(std::size(kKinds))];
  }

  int64_t Delta() {
    if (OneIn(30))
      return OneIn(2) ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
    return static_cast<int64_t>(Below(40)) - 20;
  }

  PlannedOp NewOp() {
    PlannedOp planned;
    planned.op.kind = Kind();
    planned.op.ns = Namespace();
    planned.op.key = Key();
    planned.ttl_ms = Ttl();
    if (planned.op.kind == OperationKind::kPut || planned.op.kind == OperationKind::kAppend)
      planned.op.value = Value();
    if (planned.op.kind == OperationKind::kAdd) planned.op.delta = Delta();
    if (planned.op.kind != OperationKind::kTouch && OneIn(3))
      planned.op = planned.op.KeepDeadline();
    if (OneIn(4)) AddPrecondition(&planned);
    return planned;
  }

  void AddPrecondition(PlannedOp* planned) {
    switch (Below(6)) {
      case 0:
        planned->op = planned->op.IfAbsent();
        return;
      case 1:
        planned->op = planned->op.IfPresent();
        return;
      case 2:
        planned->revision = PlannedOp::RevisionChoice::kNewest;
        break;
      default:
        planned->revision = PlannedOp::RevisionChoice::kCurrent;
        break;
    }
    planned->op = planned->op.IfRevision(1);
  }

  PlannedBatch Batch() {
    PlannedBatch batch;
    batch.mode = OneIn(2) ? BatchMode::kAtomic : BatchMode::kIndependent;
    const size_t count = OneIn(3) ? 1 : 1 + Below(largest_batch_);
    std::set<std::pair<NamespaceId, std::string>> mutated;
    for (size_t i = 0; i < count; ++i) {
      PlannedOp planned = NewOp();
      const bool twice = storage::IsMutation(planned.op.kind) &&
                         !mutated.emplace(planned.op.ns, planned.op.key).second;
      if (twice && batch.mode == BatchMode::kAtomic) continue;
      batch.ops.push_back(std::move(planned));
    }
    return batch;
  }

  RunStep Run() {
    RunStep step;
    const size_t count = OneIn(4) ? 2 + Below(6) : 1;
    for (size_t i = 0; i < count; ++i) step.batches.push_back(Batch());
    if (count > 1 && OneIn(3)) step.snapshot = {Below(count), Slot()};
    return step;
  }

  storage::PageBudget Budget() {
    return {OneIn(3) ? 1 : 1 + Below(20), OneIn(3) ? 1 + Below(60) : 64 << 10};
  }

  CursorStep Cursor() {
    CursorStep step;
    step.slot = Slot();
    step.range.ns = Namespace();
    if (OneIn(2)) step.range.start = Key();
    if (OneIn(2)) step.range.end = Key();
    if (!step.range.end.empty() && step.range.end < step.range.start)
      std::swap(step.range.start, step.range.end);
    if (OneIn(2)) step.options.direction = storage::ScanDirection::kDescending;
    if (OneIn(4)) step.options.content = storage::ScanContent::kKeysOnly;
    step.time = OneIn(2) ? ReadTime::kAsOf : ReadTime::kNow;
    return step;
  }

  LoadStep Load() {
    LoadStep step;
    step.end = OneIn(2) ? LoadStep::End::kPublish : LoadStep::End::kAbandon;
    for (NamespaceId ns = 1; ns <= namespaces_; ++ns) {
      for (const std::string& key : keys_) {
        if (OneIn(2)) step.entries.push_back({ns, key, Value(), Ttl()});
      }
    }
    const auto less = [](const LoadStep::Loaded& a, const LoadStep::Loaded& b) {
      return std::tie(a.ns, a.key) < std::tie(b.ns, b.key);
    };
    std::sort(step.entries.begin(), step.entries.end(), less);
    const auto same = [](const LoadStep::Loaded& a, const LoadStep::Loaded& b) {
      return std::tie(a.ns, a.key) == std::tie(b.ns, b.key);
    };
    step.entries.erase(std::unique(step.entries.begin(), step.entries.end(), same),
                       step.entries.end());
    if (OneIn(3)) std::shuffle(step.entries.begin(), step.entries.end(), random_);
    return step;
  }

  std::mt19937 random_;
  size_t namespaces_ = 1;
  std::vector<std::string> keys_;
  int64_t longest_ttl_ = 0;
  size_t largest_batch_ = 0;
  bool has_quotas_ = false;
};

}  // namespace

std::vector<Step> GenerateHistory(uint32_t seed, const HistoryOptions& options) {
  Generator generator(seed);
  std::vector<Step> steps;
  for (size_t i = 0; i < options.steps; ++i) steps.push_back(generator.Next(options.reopen));
  steps.push_back(CheckStep{});
  return steps;
}

storage::Limits ModelLimits() {
  storage::Limits limits;
  limits.max_value_bytes = 2'500;
  limits.max_response_bytes = 3'000;
  return limits;
}

}  // namespace tarn::testing
