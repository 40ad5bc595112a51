#include "storage/redis/removal.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/redis/command_text.h"
#include "storage/redis/record.h"
#include "storage/redis/scripts.h"
#include "storage/redis/settle.h"
#include "storage/redis/unit.h"

namespace tarn::storage::redis {
namespace {

// What the script gives for a key whose entry stays, else the length of what it removed; less than
// this when there was none.
constexpr int64_t kStays = 0;

using Done = absl::AnyInvocable<void(absl::StatusOr<uint64_t>) &&>;

IndexMember MemberOf(const Place& place) {
  return DecodeIndexMember(place.member).value_or(IndexMember{});
}

// Holds its keys alone: between a put's entry into the index and its value, a key that is not there
// is not a ghost.
class RemovalUnit final : public Unit {
 public:
  RemovalUnit(Core& core, Partition partition, std::vector<Place> places, base::UnixMs expired_by,
              Done done)
      : Unit(core, partition),
        places_(std::move(places)),
        expired_by_(expired_by),
        done_(std::move(done)) {
    mode = Mode::kAlone;
    for (const Place& place : places_) {
      const IndexMember member = MemberOf(place);
      keys.push_back(core.placements.Locate(member.ns, member.key).hash);
    }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  }

 private:
  std::shared_ptr<RemovalUnit> Self() {
    return std::static_pointer_cast<RemovalUnit>(shared_from_this());
  }

  void Attempt() override {
    if (!TakeLease(CommandKind::kWrite)) return;
    for (const uint64_t key : keys) core_.known.Erase(key);
    if (load_) {
      lease_->Send(
          CommandKind::kRead,
          std::move(CommandText(3).Add("SCRIPT").Add("LOAD").Add(SweepScript().source)).Take(),
          [](Answer&) {});
    }
    lease_->Send(CommandKind::kWrite, Command(),
                 [self = Self()](Answer& answer) { self->Answered(answer); });
  }

  std::string Name(const Place& place) const {
    const IndexMember member = MemberOf(place);
    return core_.layout.Entry(partition_, {core_.generation, member.ns, member.key});
  }

  std::string Command() const {
    CommandText text(7 + 2 * places_.size());
    text.Add("EVALSHA").Add(SweepScript().sha1).Add(absl::StrCat(3 + places_.size()));
    text.Add(core_.layout.Index(partition_, core_.generation));
    text.Add(core_.layout.Deadlines(partition_, core_.generation));
    text.Add(core_.layout.Removals(partition_, core_.generation));
    for (const Place& place : places_) text.Add(Name(place));
    text.Add(absl::StrCat(expired_by_));
    for (const Place& place : places_) text.Add(place.member);
    return std::move(text).Take();
  }

  void Answered(const Answer& answer) {
    const Outcome& outcome = answer.outcome;
    load_ = outcome.action == Action::kLoadScript;
    if (outcome.executed == Executed::kUnknown) return AwaitTheEnd(outcome);
    if (outcome.code != absl::StatusCode::kOk) return AttemptFailed(outcome);
    if (answer.reply->view().size() != places_.size()) {
      return AttemptFailed(ClassifyUnexpected(CommandKind::kWrite));
    }
    Finish(Count(answer.reply->view()));
  }

  uint64_t Count(ReplyView lengths) {
    uint64_t removed = 0;
    for (size_t i = 0; i < places_.size(); ++i) {
      const int64_t length = lengths[i].integer();
      if (length != kStays) core_.index_log.Erase(partition_, places_[i].member);
      if (length < static_cast<int64_t>(kRecordHeaderBytes)) continue;
      const IndexMember member = MemberOf(places_[i]);
      const int64_t value_bytes = length - static_cast<int64_t>(kRecordHeaderBytes);
      core_.ledger.Add(member.ns, {-1, -static_cast<int64_t>(member.key.size()) - value_bytes});
      ++removed;
    }
    return removed;
  }

  // It may still be done, and must not be any more when the keys are given back.
  void AwaitTheEnd(const Outcome& outcome) {
    Settle(core_, lease_, Name(places_.front()),
           [self = Self(), outcome](const std::optional<std::string>&) {
             self->Finish(ToStatus(outcome, self->core_.address));
           });
  }

  void GiveUp(const absl::Status& status) override { Finish(status); }

  void Finish(absl::StatusOr<uint64_t> result) {
    Leave();
    std::move(done_)(std::move(result));
  }

  const std::vector<Place> places_;
  const base::UnixMs expired_by_;
  Done done_;
  bool load_ = false;
};

}  // namespace

void RemoveUnseen(Core& core, Partition partition, std::vector<Place> places,
                  base::UnixMs expired_by, Done done) {
  std::make_shared<RemovalUnit>(core, partition, std::move(places), expired_by, std::move(done))
      ->Enter();
}

}  // namespace tarn::storage::redis
