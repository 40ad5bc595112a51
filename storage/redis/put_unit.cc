#include "storage/redis/put_unit.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/redis/command_text.h"
#include "storage/redis/entry_view.h"
#include "storage/redis/record.h"
#include "storage/redis/settle.h"
#include "storage/redis/unit.h"

namespace tarn::storage::redis {
namespace {

constexpr int64_t kHealPauseMs = 50;

// SET ... GET, behind its entry into the index when the key is not known to be there. Shares its
// key: what else goes to the key follows on the same connection.
class PutUnit final : public Unit {
 public:
  PutUnit(Core& core, BatchRun& run, size_t index, const Location& at)
      : Unit(core, at.partition),
        run_(&run),
        index_(index),
        ns_(run.operation(index).ns),
        key_(run.operation(index).key),
        charged_(MostOfPut(run.operation(index))) {
    keys.push_back(at.hash);
    // While it waits for others of its batch, what is behind it on its key must wait too.
    if (!run.MayCommit(index)) mode = Mode::kAlone;
  }

 private:
  const Operation& operation() const { return run_->operation(index_); }
  std::shared_ptr<PutUnit> Self() { return std::static_pointer_cast<PutUnit>(shared_from_this()); }

  int64_t PatienceMs() const override {
    return run_ == nullptr ? Caller::kForEver : PatienceOf(run_->batch().caller);
  }

  void Attempt() override {
    run_->WhenMayCommit(index_, [self = Self()] { self->Commit(); });
  }

  void Commit() {
    if (!TakeLease(CommandKind::kWrite)) return;
    sent_at_ = core_.clock.Now();
    revision_ = core_.writes.Begin();
    run_->PassCommit(index_);
    wanted_ = core_.observer->WantsReplaced();
    was_known_ = core_.known.Contains(keys.front());
    index_outcome_ = {};
    awaited_ = 1;
    if (!was_known_) SendToIndex();
    if (operation().deadline != base::kNever) SendDeadline();
    lease_->Send(CommandKind::kWrite, SetCommand(),
                 [self = Self()](Answer& answer) { self->SetAnswered(answer); });
    // From here on: whatever removes the key again is sent later.
    core_.known.Insert(keys.front());
  }

  std::string Member() const { return EncodeIndexMember({ns_, key_}); }

  void SendToIndex() {
    ++awaited_;
    core_.index_log.Append(*lease_, partition_, Member(),
                           [self = Self()](Answer& answer) { self->IndexAnswered(answer); });
  }

  void SendDeadline() {
    ++awaited_;
    core_.due.Note(partition_, operation().deadline);
    CommandText text(4);
    text.Add("ZADD").Add(core_.layout.Deadlines(partition_, core_.generation));
    text.Add(absl::StrCat(operation().deadline)).Add(Member());
    lease_->Send(CommandKind::kWrite, std::move(text).Take(),
                 [self = Self()](Answer& answer) { self->IndexAnswered(answer); });
  }

  std::string Name() const { return core_.layout.Entry(partition_, {core_.generation, ns_, key_}); }

  std::string SetCommand() const {
    const std::string header = EncodeRecord({revision_, operation().deadline, ""});
    const std::string px = GarbagePx(operation().deadline, sent_at_);
    CommandText text(px.empty() ? 4 : 6);
    text.Reserve(key_.size() + operation().value.size() + 128);
    text.Add("SET").Add(Name()).Add(header, operation().value);
    if (!px.empty()) text.Add("PX").Add(px);
    text.Add("GET");
    return std::move(text).Take();
  }

  void IndexAnswered(const Answer& answer) {
    if (answer.outcome.executed != Executed::kYes) index_outcome_ = answer.outcome;
    Answered();
  }

  void SetAnswered(const Answer& answer) {
    set_outcome_ = answer.outcome;
    replaced_.reset();
    if (answer.reply && answer.reply->view().kind() == ReplyView::Kind::kString) {
      replaced_ = std::string(answer.reply->view().text());
    }
    Answered();
  }

  void Answered() {
    if (--awaited_ > 0) return;
    if (set_outcome_.executed == Executed::kUnknown) return BeginToSettle();
    if (set_outcome_.executed == Executed::kNo) return NotDone();
    if (index_outcome_.executed != Executed::kYes || (was_known_ && !replaced_)) return Heal();
    Done();
  }

  void NotDone() {
    core_.known.Erase(keys.front());
    core_.writes.End(revision_);
    // What was sent behind it may have been done by now: then it would come too late.
    if (core_.order.HasFollower(*this)) set_outcome_.action = Action::kReturn;
    AttemptFailed(set_outcome_);
  }

  void GiveUp(const absl::Status& status) override {
    core_.ledger.Add(ns_, {-charged_.entries, -charged_.bytes});
    OperationResult result;
    result.status = status;
    End(std::move(result));
  }

  // --- done ---

  void Done() {
    const absl::StatusOr<Found> found = FoundIn(replaced_, sent_at_);
    OperationResult result;
    // Done, but perhaps not as safely as it should be.
    result.status = ToStatus(set_outcome_, core_.address);
    result.found = found.ok() && found->found;
    AdjustUsage();
    if (wanted_) {
      core_.observer->OnReplaced({revision_, ns_, key_, replaced_});
    }
    Committed(std::move(result));
  }

  void AdjustUsage() {
    if (!replaced_) return;  // It was charged for that.
    const size_t old_bytes = key_.size() + replaced_->size() - kRecordHeaderBytes;
    core_.ledger.Add(ns_, {-1, -static_cast<int64_t>(old_bytes)});
  }

  void Committed(OperationResult result) {
    core_.NoteCommit(revision_);
    core_.writes.End(revision_);
    result.revision = revision_;
    if (run_ != nullptr) result.deadline = operation().deadline;
    End(std::move(result));
  }

  void End(OperationResult result) {
    BatchRun* const run = std::exchange(run_, nullptr);
    Leave();
    if (run != nullptr) run->Finish(index_, std::move(result));
  }

  // --- the value is there, but perhaps not its place in the index ---

  void Heal() {
    core_.counters.healed.fetch_add(1, std::memory_order_relaxed);
    KeepBytes();
    TellUnknownSoon();
    SendHealing();
  }

  void SendHealing() {
    if (core_.closing) return Healed();
    Leased leased = core_.link->Lease(partition_, keys);
    if (leased.lease == nullptr) return HealLater();
    lease_ = std::move(leased.lease);
    CommandText text(4);
    text.Add("ZADD").Add(core_.layout.Index(partition_, core_.generation)).Add("0").Add(Member());
    lease_->Send(CommandKind::kWrite, std::move(text).Take(), [self = Self()](Answer& answer) {
      answer.outcome.executed == Executed::kYes ? self->Healed() : self->HealLater();
    });
  }

  void Healed() { set_outcome_.executed == Executed::kUnknown ? DoneUnseen() : Done(); }

  void HealLater() {
    lease_.reset();
    After(core_, kHealPauseMs, [self = Self()] { self->SendHealing(); });
  }

  // --- the answer is lost ---

  void BeginToSettle() {
    core_.known.Erase(keys.front());
    KeepBytes();
    TellUnknownSoon();
    Settle(core_, lease_, Name(),
           [self = Self()](std::optional<std::string> header) { self->Settled(header); });
  }

  void Settled(const std::optional<std::string>& header) {
    const std::optional<Record> record = header ? DecodeRecord(*header) : std::nullopt;
    if (record && record->revision == revision_) return SettledAsDone();
    if (header && (!record || record->revision < revision_)) return NotDoneAfterAll();
    // A later write of ours is there, or nobody knows.
    if (wanted_) core_.observer->OnReplacedLost(revision_, Unknown());
    core_.writes.End(revision_);
    OperationResult result;
    result.status = Unknown();
    End(std::move(result));
  }

  // What went before it to the index may have been refused.
  void SettledAsDone() {
    lease_.reset();
    index_outcome_.executed == Executed::kYes ? DoneUnseen() : SendHealing();
  }

  // It was done; what it replaced is not known. The index knew the key, or it did not.
  void DoneUnseen() {
    if (was_known_) core_.ledger.Add(ns_, {-charged_.entries, -charged_.bytes});
    if (wanted_) core_.observer->OnReplacedLost(revision_, Unknown());
    core_.known.Insert(keys.front());
    OperationResult result;
    result.found = was_known_;
    Committed(std::move(result));
  }

  void NotDoneAfterAll() {
    core_.writes.End(revision_);
    GiveUp(ToStatus(ClassifyLoss(Sent::kNothing, CommandKind::kWrite), core_.address));
  }

  absl::Status Unknown() const {
    return ToStatus(ClassifyLoss(Sent::kSomething, CommandKind::kWrite), core_.address);
  }

  // --- a caller does not wait for ever, and its bytes go with it ---

  void KeepBytes() {
    kept_key_ = std::string(key_);
    key_ = kept_key_;
  }

  void TellUnknownSoon() {
    After(core_, std::min(core_.settle_patience_ms, PatienceMs()), [self = Self()] {
      BatchRun* const run = std::exchange(self->run_, nullptr);
      if (run == nullptr) return;
      self->core_.counters.unknown.fetch_add(1, std::memory_order_relaxed);
      OperationResult result;
      result.status = self->Unknown();
      run->Finish(self->index_, std::move(result));
    });
  }

  BatchRun* run_;  // Null once it has been told.
  const size_t index_;
  const NamespaceId ns_;
  absl::string_view key_;
  std::string kept_key_;
  const Usage charged_;

  // Of one attempt.
  base::UnixMs sent_at_ = 0;
  Revision revision_ = 0;
  bool wanted_ = false;  // By a snapshot: what it replaces.
  bool was_known_ = false;
  int awaited_ = 0;
  Outcome index_outcome_;
  Outcome set_outcome_;
  std::optional<std::string> replaced_;
};

}  // namespace

bool IsPlainPut(const Operation& operation) {
  return operation.kind == OperationKind::kPut && operation.receipt == nullptr &&
         operation.precondition.kind == Precondition::Kind::kNone &&
         operation.deadline_rule == DeadlineRule::kSet &&
         operation.value.size() <= kMaxPlainValueBytes;
}

Usage MostOfPut(const Operation& operation) {
  return {1, static_cast<int64_t>(operation.key.size() + operation.value.size())};
}

void StartPut(Core& core, BatchRun& run, size_t index) {
  const Operation& operation = run.operation(index);
  const Location at = core.placements.Locate(operation.ns, operation.key);
  std::make_shared<PutUnit>(core, run, index, at)->Enter();
}

}  // namespace tarn::storage::redis
