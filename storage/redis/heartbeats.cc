#include "storage/redis/heartbeats.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/logging.h"
#include "storage/redis/command.h"
#include "storage/redis/scripts.h"

namespace tarn::storage::redis {

Heartbeats::Heartbeats(Core& core, std::shared_ptr<Link> control, const OwnerRecord& mine,
                       const OwnerOptions& options, HeartbeatEvents events)
    : core_(core),
      control_(std::move(control)),
      mine_(mine),
      options_(options),
      events_(std::move(events)) {}

void Heartbeats::Beat() {
  if (ended_) return;
  BeatNow();
  Schedule();
}

void Heartbeats::Schedule() {
  After(core_, options_.beat_ms, [self = shared_from_this()] { self->Beat(); });
}

void Heartbeats::BeatNow() {
  if (ended_) return;
  const Heartbeat next{Heartbeat::State::kAlive,
                       mine_.epoch,
                       beat_ + 1,
                       core_.counters.committed.load(std::memory_order_acquire),
                       options_.holder,
                       options_.name};
  Send(Heartbeat::State::kAlive,
       [self = shared_from_this(), next](const Answer& answer) { self->Take(answer, next); });
}

void Heartbeats::Release(std::function<void()> done) {
  if (std::exchange(ended_, true)) return done();
  Send(Heartbeat::State::kReleased, [done = std::move(done)](const Answer&) { done(); });
}

void Heartbeats::Send(Heartbeat::State state, std::function<void(const Answer&)> done) {
  const Heartbeat heartbeat{
      state,           mine_.epoch,
      ++beat_,         core_.counters.committed.load(std::memory_order_acquire),
      options_.holder, options_.name};
  Leased leased = control_->Lease(kStorePartition, {});
  if (leased.lease == nullptr) {
    return done({std::nullopt, ClassifyLoss(Sent::kNothing, CommandKind::kWrite)});
  }
  const std::shared_ptr<KeyLease> lease = std::move(leased.lease);
  lease->Send(
      CommandKind::kWrite,
      FormatCommand({"EVAL", BeatScript().source, "2", core_.layout.Owner(kStorePartition),
                     core_.layout.Heartbeat(), EncodeOwner(mine_), EncodeHeartbeat(heartbeat)}),
      [lease, done = std::move(done)](Answer& answer) { done(answer); });
}

void Heartbeats::Take(const Answer& answer, const Heartbeat& sent) {
  // A sign of life needs as much as a write does.
  core_.NoteRights(answer.outcome);
  if (ended_ || answer.outcome.code != absl::StatusCode::kOk) return;
  const ReplyView reply = answer.reply->view();
  if (reply.size() != 3) return;
  LookAt(reply[1].text(), reply[2].text());
  if (reply[0].integer() == 1) acknowledged_ = sent;
}

void Heartbeats::LookAt(absl::string_view owner, absl::string_view before) {
  const std::optional<OwnerRecord> record = DecodeOwner(owner);
  if (record && !(*record == mine_) && record->epoch >= mine_.epoch) {
    ended_ = true;
    return events_.deposed();
  }
  if (owner.empty() && before.empty()) return events_.empty();
  const std::optional<Heartbeat> found = DecodeHeartbeat(before);
  const bool forgot = found && found->beat < acknowledged_.beat && found->epoch <= mine_.epoch;
  if (forgot) events_.older(acknowledged_.revision);
  if (!record || !(*record == mine_)) Reassert();
}

// A replica that became the primary may not have heard of this owner yet.
void Heartbeats::Reassert() {
  for (int partition = 0; partition < kPartitions; ++partition) {
    const auto at = static_cast<Partition>(partition);
    Leased leased = control_->Lease(at, {});
    if (leased.lease == nullptr) return;
    const std::shared_ptr<KeyLease> lease = std::move(leased.lease);
    lease->Send(CommandKind::kWrite,
                FormatCommand({"EVAL", RaiseScript().source, "1", core_.layout.Owner(at),
                               EncodeOwner(mine_)}),
                [lease](Answer&) {});
  }
}

}  // namespace tarn::storage::redis
