#include "storage/redis/commit_unit.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/coding.h"
#include "storage/base/error.h"
#include "storage/redis/command_text.h"
#include "storage/redis/commit_plan.h"
#include "storage/redis/entry_view.h"
#include "storage/redis/record.h"
#include "storage/redis/scripts.h"
#include "storage/redis/settle.h"
#include "storage/redis/unit.h"

namespace tarn::storage::redis {
namespace {

// How many bytes of what is replaced one commit may bring back to snapshots. More end them.
constexpr size_t kMaxReplacedBytes = size_t{16} << 20;
// How often what was read may have changed when it comes to the commit: only Redis' own garbage
// collection can do that.
constexpr int kMaxSurprises = 3;

// Holds its keys alone: reads what it needs, judges, and commits by one script that checks that
// all is as it was read and writes last. So what it replaces and answers is known before anything
// is written, and whether it was written can be seen by one header.
class CommitUnit final : public Unit {
 public:
  CommitUnit(Core& core, BatchRun& run, absl::Span<const Operation> operations,
             const Receipt* receipt, std::optional<size_t> index, Partition partition)
      : Unit(core, partition),
        run_(&run),
        operations_(operations),
        receipt_(receipt),
        index_(index) {
    mode = Mode::kAlone;
    for (const Operation& operation : operations) {
      keys.push_back(core.placements.Locate(operation.ns, operation.key).hash);
    }
    if (receipt != nullptr) {
      keys.push_back(core.placements.Locate(kSystemNamespace, receipt->key).hash);
    }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  }

  // So much has been charged.
  void SetCharged(NamespaceId ns, const Usage& usage) { charged_[ns] += usage; }

 private:
  std::shared_ptr<CommitUnit> Self() {
    return std::static_pointer_cast<CommitUnit>(shared_from_this());
  }

  int64_t PatienceMs() const override {
    return run_ == nullptr ? Caller::kForEver : PatienceOf(run_->batch().caller);
  }

  void Begin() override {
    if (!index_) return Attempt();
    run_->WhenTurn(*index_, [self = Self()] { self->Attempt(); });
  }

  // --- reading ---

  void Attempt() override {
    plan_ = std::make_unique<CommitPlan>(core_, operations_, receipt_);
    if (!TakeLease(CommandKind::kRead)) return;
    if (std::exchange(load_, false)) LoadScripts();
    const std::deque<PlannedEntry>& entries = plan_->entries();
    if (entries.size() > 1) return SendRead();
    const Want want = entries.front().want;
    if (want == Want::kSome || want == Want::kHeader) return SendHeaderRead(want);
    CommandText text(2);
    text.Add("GET").Add(entries.front().name);
    lease_->Send(CommandKind::kRead, std::move(text).Take(),
                 [self = Self()](Answer& answer) { self->OneAnswered(answer); });
  }

  void LoadScripts() {
    for (const Script* const script : {&ReadScript(), &CommitScript()}) {
      CommandText text(3);
      text.Add("SCRIPT").Add("LOAD").Add(script->source);
      lease_->Send(CommandKind::kRead, std::move(text).Take(), [](Answer&) {});
    }
  }

  void OneAnswered(const Answer& answer) {
    if (answer.outcome.code != absl::StatusCode::kOk) return AttemptFailed(answer.outcome);
    PlannedEntry& entry = plan_->entries().front();
    entry.record = std::string(answer.reply->view().text());
    entry.length = entry.record.size();
    Judge();
  }

  // Of one entry, in two commands that cost less than a script: nobody changes it in between.
  void SendHeaderRead(Want want) {
    const size_t bytes = want == Want::kSome ? kReadSomeBytes : kRecordHeaderBytes;
    const std::string& name = plan_->entries().front().name;
    CommandText beginning(4);
    beginning.Add("GETRANGE").Add(name).Add("0").Add(absl::StrCat(bytes - 1));
    lease_->Send(CommandKind::kRead, std::move(beginning).Take(), [self = Self()](Answer& answer) {
      self->read_ = answer.outcome;
      if (self->read_.code != absl::StatusCode::kOk) return;
      self->plan_->entries().front().record = std::string(answer.reply->view().text());
    });
    CommandText length(2);
    length.Add("STRLEN").Add(name);
    lease_->Send(CommandKind::kRead, std::move(length).Take(),
                 [self = Self()](Answer& answer) { self->LengthAnswered(answer); });
  }

  void LengthAnswered(const Answer& answer) {
    if (read_.code != absl::StatusCode::kOk) return AttemptFailed(read_);
    if (answer.outcome.code != absl::StatusCode::kOk) return AttemptFailed(answer.outcome);
    PlannedEntry& entry = plan_->entries().front();
    entry.length = static_cast<uint64_t>(answer.reply->view().integer());
    // Redis itself may have removed it in between, an hour after its deadline.
    if (entry.length < entry.record.size()) entry.record.resize(entry.length);
    Judge();
  }

  void SendRead() {
    const std::deque<PlannedEntry>& entries = plan_->entries();
    CommandText text(6 + entries.size());
    text.Add("EVALSHA").Add(ReadScript().sha1).Add(absl::StrCat(entries.size()));
    std::string wants;
    for (const PlannedEntry& entry : entries) {
      text.Add(entry.name);
      wants.push_back(static_cast<char>(entry.want));
    }
    // More than the answer may have: what has expired takes none of it.
    text.Add(
        absl::StrCat(2 * core_.limits.max_response_bytes + entries.size() * kRecordHeaderBytes));
    text.Add(absl::StrCat(kMaxReplacedBytes)).Add(wants);
    lease_->Send(CommandKind::kRead, std::move(text).Take(),
                 [self = Self()](Answer& answer) { self->ManyAnswered(answer); });
  }

  void ManyAnswered(const Answer& answer) {
    if (answer.outcome.code != absl::StatusCode::kOk) return ReadFailed(answer.outcome);
    const ReplyView reply = answer.reply->view();
    std::deque<PlannedEntry>& entries = plan_->entries();
    if (reply.size() != entries.size()) {
      return AttemptFailed(ClassifyUnexpected(CommandKind::kRead));
    }
    for (size_t i = 0; i < entries.size(); ++i) {
      absl::string_view part = reply[i].text();
      entries[i].length = base::ConsumeFixed32(&part).value_or(0);
      entries[i].record = std::string(part);
    }
    Judge();
  }

  void ReadFailed(const Outcome& outcome) {
    load_ = outcome.action == Action::kLoadScript;
    AttemptFailed(outcome);
  }

  // --- judging ---

  void Judge() {
    now_ = core_.clock.Now();
    if (absl::Status status = plan_->Evaluate(now_); !status.ok()) {
      return Refuse(plan_->failed(), std::move(status));
    }
    if (!index_) {
      const bool fits = plan_->response_bytes() <= core_.limits.max_response_bytes;
      return fits ? Charge() : Refuse(std::nullopt, ResponseTooLarge(core_.limits));
    }
    run_->WhenSized(*index_, plan_->response_bytes() - kResultOverheadBytes,
                    [self = Self()](const absl::Status& fits) {
                      fits.ok() ? self->Charge() : self->Refuse(0, fits);
                    });
  }

  // What was charged before is more than enough; without it, each namespace is asked now.
  void Charge() {
    if (!plan_->writes()) return Finish();
    if (charged_.empty()) {
      for (const auto& [ns, usage] : plan_->usage()) {
        absl::Status status = core_.ledger.Charge(ns, usage);
        if (!status.ok()) return Refuse(std::nullopt, std::move(status));
        charged_[ns] = usage;
      }
    }
    if (!index_) return SendCommit();
    run_->WhenMayCommit(*index_, [self = Self()] { self->SendCommit(); });
  }

  // --- committing ---

  void SendCommit() {
    wanted_ = core_.observer->WantsReplaced();
    // A snapshot was opened since the entries were read.
    if (wanted_ && !plan_->reads_replaced()) {
      TakeBackCharge();
      return Attempt();
    }
    revision_ = core_.writes.Begin();
    if (index_) run_->PassCommit(*index_);
    plan_->SetRevision(revision_, run_->batch().mode);
    for (const PlannedEntry& entry : plan_->entries()) {
      core_.known.Erase(entry.at.hash);
      if (entry.deadline != base::kNever) core_.due.Note(entry.at.partition, entry.deadline);
    }
    lease_->Send(CommandKind::kWrite, plan_->Command(now_),
                 [self = Self()](Answer& answer) { self->CommitAnswered(answer); });
  }

  void CommitAnswered(const Answer& answer) {
    if (answer.outcome.executed == Executed::kUnknown) return LostAnswer();
    // Done, but perhaps not as safely as it should be.
    told_ = ToStatus(answer.outcome, core_.address);
    if (answer.outcome.executed == Executed::kNo) {
      core_.writes.End(revision_);
      TakeBackCharge();
      return ReadFailed(answer.outcome);
    }
    if (answer.reply->view().integer() == 0) return Done();
    core_.writes.End(revision_);
    TakeBackCharge();
    ++surprises_ <= kMaxSurprises ? Attempt() : AttemptFailed(Surprised());
  }

  static Outcome Surprised() {
    Outcome outcome = ClassifyUnexpected(CommandKind::kRead);
    outcome.action = Action::kReturn;
    return outcome;
  }

  // A commit that is tried again is charged again, exactly.
  void TakeBackCharge() {
    for (const auto& [ns, usage] : charged_) core_.ledger.Add(ns, {-usage.entries, -usage.bytes});
    charged_.clear();
  }

  // --- done ---

  void Done() {
    AdjustUsage();
    if (wanted_) ReportReplaced();
    if (plan_->changes()) core_.NoteCommit(revision_);
    for (const PlannedEntry& entry : plan_->entries()) {
      if (entry.change == Change::kDelete) {
        core_.index_log.Erase(entry.at.partition, EncodeIndexMember({entry.ns, entry.key}));
      } else if (entry.change != Change::kNone) {
        core_.known.Insert(entry.at.hash);
      }
    }
    core_.writes.End(revision_);
    Finish();
  }

  void AdjustUsage() {
    TakeBackCharge();
    for (const auto& [ns, usage] : plan_->usage()) core_.ledger.Add(ns, usage);
    if (receipt_ == nullptr) return;
    const size_t bytes = receipt_key_.empty() ? receipt_->key.size() : receipt_key_.size();
    core_.ledger.Add(kSystemNamespace,
                     {1, static_cast<int64_t>(bytes + plan_->receipt_value().size())});
  }

  void ReportReplaced() {
    for (const PlannedEntry& entry : plan_->entries()) {
      if (entry.change == Change::kNone) continue;
      if (!entry.read_whole()) {
        core_.observer->OnReplacedLost(revision_, Unknown());
        continue;
      }
      std::optional<absl::string_view> record;
      if (entry.length > 0) record = entry.record;
      core_.observer->OnReplaced({revision_, entry.ns, entry.key, record});
    }
    if (receipt_ == nullptr) return;
    core_.observer->OnReplaced({revision_, kSystemNamespace, receipt_->key, std::nullopt});
  }

  // Gives the results, if anybody still waits for them.
  void Finish() {
    TakeBackChargeIfUnused();
    BatchRun* const run = std::exchange(run_, nullptr);
    Leave();
    if (run == nullptr) return;
    if (!told_.ok()) return Tell(*run, told_);
    if (index_) {
      OperationResult result = plan_->results().front();
      result.value = run->arena().Copy(result.value);
      return run->Finish(*index_, std::move(result));
    }
    BatchResult& result = run->result();
    if (plan_->changes()) result.revision = revision_;
    for (const OperationResult& one : plan_->results()) {
      result.results.push_back(one);
      result.results.back().value = run->arena().Copy(one.value);
    }
    run->FinishAll();
  }

  void TakeBackChargeIfUnused() {
    if (!plan_->writes()) TakeBackCharge();
  }

  // --- not done ---

  void Refuse(std::optional<size_t> operation, absl::Status status) {
    if (!index_ && operation)
      status = base::Annotate(status, absl::StrCat("operation ", *operation));
    failed_ = operation.value_or(0);
    GiveUp(status);
  }

  void GiveUp(const absl::Status& status) override {
    TakeBackCharge();
    BatchRun* const run = std::exchange(run_, nullptr);
    Leave();
    if (run != nullptr) Tell(*run, status);
  }

  void Tell(BatchRun& run, const absl::Status& status) const {
    if (index_) {
      OperationResult result;
      result.status = status;
      return run.Finish(*index_, std::move(result));
    }
    run.result().status = status;
    run.result().failed_operation = failed_;
    run.FinishAll();
  }

  // --- the answer is lost ---

  void LostAnswer() {
    KeepBytes();
    After(core_, std::min(core_.settle_patience_ms, PatienceMs()), [self = Self()] {
      BatchRun* const run = std::exchange(self->run_, nullptr);
      if (run == nullptr) return;
      self->core_.counters.unknown.fetch_add(1, std::memory_order_relaxed);
      self->Tell(*run, self->Unknown());
    });
    const CommitPlan::Mark mark = plan_->FindMark();
    Settle(core_, lease_, mark.name, [self = Self(), mark](std::optional<std::string> header) {
      self->Settled(mark, header);
    });
  }

  void Settled(const CommitPlan::Mark& mark, const std::optional<std::string>& header) {
    if (header == mark.after) return Done();
    if (header == mark.before) {
      core_.writes.End(revision_);
      return GiveUp(ToStatus(ClassifyLoss(Sent::kNothing, CommandKind::kWrite), core_.address));
    }
    if (wanted_) core_.observer->OnReplacedLost(revision_, Unknown());
    core_.writes.End(revision_);
    GiveUp(Unknown());
  }

  // What is needed of the operations after their caller was told that nobody knows.
  void KeepBytes() {
    if (receipt_ != nullptr) receipt_key_ = std::string(receipt_->key);
    for (PlannedEntry& entry : plan_->entries()) {
      kept_keys_.emplace_back(entry.key);
      entry.key = kept_keys_.back();
    }
    if (receipt_ == nullptr) return;
    kept_receipt_.key = receipt_key_;
    receipt_ = &kept_receipt_;
  }

  absl::Status Unknown() const {
    return ToStatus(ClassifyLoss(Sent::kSomething, CommandKind::kWrite), core_.address);
  }

  BatchRun* run_;  // Null once it has been told.
  const absl::Span<const Operation> operations_;
  const Receipt* receipt_;
  const std::optional<size_t> index_;  // None: of an atomic batch.
  absl::flat_hash_map<NamespaceId, Usage> charged_;

  // Of one attempt.
  std::unique_ptr<CommitPlan> plan_;
  Outcome read_;
  base::UnixMs now_ = 0;
  Revision revision_ = 0;
  bool wanted_ = false;  // By a snapshot: what it replaces.

  bool load_ = false;  // The server has lost its scripts.
  absl::Status told_;
  int surprises_ = 0;
  size_t failed_ = 0;
  std::deque<std::string> kept_keys_;
  std::string receipt_key_;
  Receipt kept_receipt_;
};

absl::Status CrossSlot() {
  return base::MakeError(absl::StatusCode::kFailedPrecondition, base::Reason::kCrossSlot,
                         "the keys of an atomic batch lie in different slots of the Redis cluster; "
                         "a namespace that is "
                         "placed together has all of its keys in one");
}

bool Spans(const Core& core, absl::Span<const Operation> operations, Partition partition) {
  return std::any_of(operations.begin(), operations.end(), [&](const Operation& operation) {
    return core.placements.Locate(operation.ns, operation.key).partition != partition;
  });
}

}  // namespace

Usage MostOf(const Operation& operation) {
  constexpr int64_t kMaxDigits = 20;
  const auto key = static_cast<int64_t>(operation.key.size());
  switch (operation.kind) {
    case OperationKind::kPut:
    case OperationKind::kAppend:
      return {1, key + static_cast<int64_t>(operation.value.size())};
    case OperationKind::kAdd:
      return {1, key + kMaxDigits};
    default:
      return {};
  }
}

void StartCommit(Core& core, BatchRun& run, size_t index, Charged charged) {
  const Operation& operation = run.operation(index);
  const auto unit = std::make_shared<CommitUnit>(
      core, run, run.batch().operations.subspan(index, 1), operation.receipt, index,
      core.placements.Locate(operation.ns, operation.key).partition);
  if (charged == Charged::kYes) unit->SetCharged(operation.ns, MostOf(operation));
  unit->Enter();
}

void StartAtomicCommit(Core& core, BatchRun& run) {
  const absl::Span<const Operation> operations = run.batch().operations;
  const Location first = core.placements.Locate(operations[0].ns, operations[0].key);
  if (!core.link->spans_partitions() && Spans(core, operations, first.partition)) {
    run.result().status = CrossSlot();
    return run.FinishAll();
  }
  std::make_shared<CommitUnit>(core, run, operations, run.batch().receipt, std::nullopt,
                               first.partition)
      ->Enter();
}

}  // namespace tarn::storage::redis
