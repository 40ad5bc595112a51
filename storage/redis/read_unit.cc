#include "storage/redis/read_unit.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/coding.h"
#include "storage/base/error.h"
#include "storage/evaluate.h"
#include "storage/redis/command_text.h"
#include "storage/redis/entry_view.h"
#include "storage/redis/scripts.h"

namespace tarn::storage::redis {
namespace {

std::optional<absl::string_view> RecordIn(ReplyView reply) {
  if (reply.kind() == ReplyView::Kind::kString) return reply.text();
  return std::nullopt;
}

OperationResult NotDone(absl::Status status) {
  OperationResult result;
  result.status = std::move(status);
  return result;
}

// Copies the value into the arena.
OperationResult Read(const Operation& operation, std::optional<absl::string_view> record,
                     const Core& core, base::Arena& arena) {
  const absl::StatusOr<Found> found = FoundIn(record, core.clock.Now());
  if (!found.ok()) return NotDone(found.status());
  const Evaluation evaluation(operation, *found, core.limits);
  if (!evaluation.status.ok()) return NotDone(evaluation.status);
  OperationResult result = ResultOf(operation, *found, evaluation, 0);
  result.value = arena.Copy(found->value);
  return result;
}

class ReadUnit final : public Unit {
 public:
  ReadUnit(Core& core, BatchRun& run, Partition partition, absl::Span<const uint32_t> indexes)
      : Unit(core, partition), run_(run), indexes_(indexes.begin(), indexes.end()) {}

 private:
  int64_t PatienceMs() const override { return PatienceOf(run_.batch().caller); }

  void Attempt() override {
    if (!TakeLease(CommandKind::kRead)) return;
    lease_->Send(CommandKind::kRead, Command(),
                 [self = std::static_pointer_cast<ReadUnit>(shared_from_this())](Answer& answer) {
                   self->Answered(answer);
                 });
  }

  std::string Command() const {
    CommandText text(indexes_.size() + 1);
    text.Add(indexes_.size() == 1 ? "GET" : "MGET");
    for (const uint32_t index : indexes_) text.Add(NameOf(index));
    return std::move(text).Take();
  }

  std::string NameOf(uint32_t index) const {
    const Operation& operation = run_.operation(index);
    return core_.layout.Entry(core_.placements.Locate(operation.ns, operation.key).partition,
                              {core_.generation, operation.ns, operation.key});
  }

  void Answered(const Answer& answer) {
    if (answer.outcome.code != absl::StatusCode::kOk) return AttemptFailed(answer.outcome);
    const ReplyView reply = answer.reply->view();
    const bool many = indexes_.size() > 1;
    if (many && reply.size() != indexes_.size()) {
      return AttemptFailed(ClassifyUnexpected(CommandKind::kRead));
    }
    Leave();
    for (size_t i = 0; i < indexes_.size(); ++i) {
      run_.Finish(indexes_[i], Read(run_.operation(indexes_[i]), RecordIn(many ? reply[i] : reply),
                                    core_, run_.arena()));
    }
  }

  void GiveUp(const absl::Status& status) override {
    Leave();
    for (const uint32_t index : indexes_) run_.Finish(index, NotDone(status));
  }

  BatchRun& run_;
  const absl::InlinedVector<uint32_t, kReadsPerCommand> indexes_;
};

class AtomicReadUnit final : public Unit {
 public:
  AtomicReadUnit(Core& core, BatchRun& run, Partition partition)
      : Unit(core, partition), run_(run), room_(2 * core.limits.max_response_bytes) {}

 private:
  absl::Span<const Operation> operations() const { return run_.batch().operations; }

  int64_t PatienceMs() const override { return PatienceOf(run_.batch().caller); }

  void Attempt() override {
    if (!TakeLease(CommandKind::kRead)) return;
    if (load_) {
      lease_->Send(
          CommandKind::kRead,
          std::move(CommandText(3).Add("SCRIPT").Add("LOAD").Add(ReadScript().source)).Take(),
          [](Answer&) {});
    }
    lease_->Send(CommandKind::kRead, Command(),
                 [self = std::static_pointer_cast<AtomicReadUnit>(shared_from_this())](
                     Answer& answer) { self->Answered(answer); });
  }

  std::string Command() const {
    const size_t count = operations().size();
    CommandText text(count + 6);
    text.Add("EVALSHA").Add(ReadScript().sha1).Add(absl::StrCat(count));
    for (const Operation& operation : operations()) {
      text.Add(core_.layout.Entry(core_.placements.Locate(operation.ns, operation.key).partition,
                                  {core_.generation, operation.ns, operation.key}));
    }
    text.Add(absl::StrCat(room_ + count * kRecordHeaderBytes)).Add("0");
    text.Add(std::string(count, 'f'));
    return std::move(text).Take();
  }

  void Answered(const Answer& answer) {
    load_ = answer.outcome.action == Action::kLoadScript;
    if (answer.outcome.code != absl::StatusCode::kOk) return AttemptFailed(answer.outcome);
    const ReplyView reply = answer.reply->view();
    if (reply.size() != operations().size()) {
      return AttemptFailed(ClassifyUnexpected(CommandKind::kRead));
    }
    Leave();
    BatchResult& result = run_.result();
    size_t used = operations().size() * kResultOverheadBytes;
    for (size_t i = 0; i < operations().size(); ++i) {
      OperationResult one = ReadPart(operations()[i], reply[i].text(), used);
      if (!one.status.ok()) return Refuse(i, one.status);
      result.results.push_back(std::move(one));
    }
    run_.FinishAll();
  }

  // Counts the value in `used_bytes`. Where the script gave the header alone, the whole is too
  // large whatever is read of it.
  OperationResult ReadPart(const Operation& operation, absl::string_view part, size_t& used_bytes) {
    if (part.empty()) return Read(operation, std::nullopt, core_, run_.arena());
    const uint32_t length = base::ConsumeFixed32(&part).value_or(0);
    OperationResult result = Read(operation, part, core_, run_.arena());
    if (!result.status.ok() || !result.found) return result;
    used_bytes += length - kRecordHeaderBytes;
    if (used_bytes <= core_.limits.max_response_bytes && part.size() == length) return result;
    return NotDone(ResponseTooLarge(core_.limits));
  }

  void Refuse(size_t index, const absl::Status& status) {
    BatchResult& result = run_.result();
    result.results.clear();
    result.status = base::Annotate(status, absl::StrCat("operation ", index));
    result.failed_operation = index;
    run_.FinishAll();
  }

  void GiveUp(const absl::Status& status) override {
    Leave();
    run_.result().status = status;
    run_.FinishAll();
  }

  BatchRun& run_;
  // More than the answer may have: what has expired takes none of it.
  const size_t room_;
  bool load_ = false;
};

}  // namespace

void StartReads(Core& core, BatchRun& run, absl::Span<const uint32_t> indexes, ReadTurn turn) {
  const Operation& first = run.operation(indexes.front());
  const Location at = core.placements.Locate(first.ns, first.key);
  const auto unit = std::make_shared<ReadUnit>(core, run, at.partition, indexes);
  if (turn == ReadTurn::kOrdered) unit->keys.push_back(at.hash);
  unit->Enter();
}

void StartAtomicReads(Core& core, BatchRun& run) {
  const Operation& first = run.operation(0);
  const Location at = core.placements.Locate(first.ns, first.key);
  const auto unit = std::make_shared<AtomicReadUnit>(core, run, at.partition);
  if (run.batch().read_order == ReadOrder::kSubmitted) {
    for (const Operation& operation : run.batch().operations) {
      unit->keys.push_back(core.placements.Locate(operation.ns, operation.key).hash);
    }
    std::sort(unit->keys.begin(), unit->keys.end());
    unit->keys.erase(std::unique(unit->keys.begin(), unit->keys.end()), unit->keys.end());
    // What is in flight on several connections cannot be followed on one.
    unit->mode = unit->keys.size() == 1 ? KeyTurn::Mode::kShared : KeyTurn::Mode::kAlone;
  }
  unit->Enter();
}

}  // namespace tarn::storage::redis
