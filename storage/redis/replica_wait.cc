#include "storage/redis/replica_wait.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/redis/command.h"

namespace tarn::storage::redis {

AnswerHandler ReplicaWait::Behind(AnswerHandler done) {
  return [self = shared_from_this(), done = std::move(done)](Answer& answer) mutable {
    // What was refused or lost is nothing that a replica could have.
    if (answer.outcome.event != Event::kReply) return std::move(done)(answer);
    self->Hold({std::move(answer), std::move(done)});
  };
}

void ReplicaWait::Hold(Held held) {
  next_.push_back(std::move(held));
  if (!asking_) Ask();
}

void ReplicaWait::Ask() {
  asking_ = true;
  connection_->Send(CommandKind::kRead,
                    FormatCommand({"WAIT", absl::StrCat(replicas_), absl::StrCat(timeout_ms_)}),
                    [self = shared_from_this(), group = std::exchange(next_, {})](
                        Answer& answer) mutable { self->Finish(std::move(group), answer); });
}

void ReplicaWait::Finish(std::vector<Held> group, const Answer& answer) {
  const bool counted =
      answer.reply.has_value() && answer.reply->view().kind() == ReplyView::Kind::kInteger;
  const int64_t acknowledged = counted ? answer.reply->view().integer() : 0;
  traffic_->CountWait(acknowledged, replicas_);
  const Outcome outcome = ClassifyWait(replicas_, acknowledged);
  asking_ = false;
  if (!next_.empty()) Ask();
  for (Held& held : group) {
    held.answer.outcome = outcome;
    std::move(held.done)(held.answer);
  }
}

}  // namespace tarn::storage::redis
