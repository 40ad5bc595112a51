#include "storage/redis/read_sender.h"

#include <limits>
#include <utility>

#include "storage/redis/outcome.h"

namespace tarn::storage::redis {
namespace {

struct Attempt {
  Attempt(Core& the_core, Partition the_partition, std::string the_command, ReadDone the_done)
      : core(the_core),
        partition(the_partition),
        command(std::move(the_command)),
        done(std::move(the_done)),
        backoff(core.backoff, core.random) {}

  Core& core;
  const Partition partition;
  const std::string command;
  ReadDone done;
  Backoff backoff;
};

void Try(const std::shared_ptr<Attempt>& attempt);

bool MayHelp(Action action) {
  return action == Action::kRetry || action == Action::kDropNode ||
         action == Action::kAbortAndRetry;
}

void Fail(const std::shared_ptr<Attempt>& attempt, const Outcome& outcome) {
  Core& core = attempt->core;
  std::optional<int64_t> wait;
  if (MayHelp(outcome.action) && !core.closing) {
    wait = attempt->backoff.NextMs(std::numeric_limits<int64_t>::max());
  }
  if (!wait) return std::move(attempt->done)(ToStatus(outcome, core.address));
  core.counters.retries.fetch_add(1, std::memory_order_relaxed);
  After(core, *wait, [attempt] { Try(attempt); });
}

void Take(const std::shared_ptr<Attempt>& attempt, Answer& answer) {
  if (answer.outcome.event != Event::kReply || !answer.reply) return Fail(attempt, answer.outcome);
  std::move(attempt->done)(*std::move(answer.reply));
}

void Try(const std::shared_ptr<Attempt>& attempt) {
  Leased leased = attempt->core.link->Lease(attempt->partition, {});
  if (leased.result != Leased::Result::kOk) {
    return Fail(attempt, NoConnection(leased.result, CommandKind::kRead));
  }
  // Kept until the answer, and until Send has returned.
  const std::shared_ptr<KeyLease> lease = std::move(leased.lease);
  lease->Send(CommandKind::kRead, attempt->command,
              [attempt, lease](Answer& answer) { Take(attempt, answer); });
}

}  // namespace

void SendRead(Core& core, Partition partition, std::string command, ReadDone done) {
  Try(std::make_shared<Attempt>(core, partition, std::move(command), std::move(done)));
}

void Gathering::Finish(const absl::Status& status) {
  status_.Update(status);
  if (--left_ == 0) std::move(done_)(status_);
}

}  // namespace tarn::storage::redis
