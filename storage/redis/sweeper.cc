#include "storage/redis/sweeper.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/redis/command_text.h"
#include "storage/redis/index_scan.h"
#include "storage/redis/read_sender.h"
#include "storage/redis/removal.h"

namespace tarn::storage::redis {
namespace {

using Done = absl::AnyInvocable<void(absl::StatusOr<SweepResult>) &&>;

// Of one partition in one step: how long its script keeps others waiting.
constexpr size_t kMaxOfPartition = 64;

// As Redis writes a score. What is none is looked at now.
base::UnixMs DeadlineIn(absl::string_view score) {
  double deadline = 0;
  if (!absl::SimpleAtod(score, &deadline) || !(deadline < 9e15)) return 0;
  return static_cast<base::UnixMs>(deadline);
}

// One round through all partitions. Keeps itself alive by what it awaits.
class Sweep : public std::enable_shared_from_this<Sweep> {
 public:
  Sweep(Core& core, size_t max_entries, Done done)
      : core_(core),
        expired_by_(std::min(core.clock.Now(), core.observer->SweepBound())),
        left_(max_entries),
        done_(std::move(done)) {}

  void Start() {
    auto all = std::make_shared<Gathering>(
        [self = shared_from_this()](const absl::Status& status) { self->Remove(status); });
    core_.due.BeginRound(core_.clock.MonotonicNanos());
    for (int i = 0; i < kPartitions; ++i) {
      const auto partition = static_cast<Partition>(i);
      if (!core_.due.BeginLook(partition, expired_by_)) continue;
      all->Add();
      SendRead(core_, partition, DueCommand(partition),
               [self = shared_from_this(), partition, all](const absl::StatusOr<Reply>& due) {
                 self->TakeDue(partition, due);
                 all->Finish(due.status());
               });
    }
    all->Finish(absl::OkStatus());
  }

 private:
  size_t PageSize() const { return std::min(left_, kMaxOfPartition); }

  // One more than is removed: when the next look is due.
  std::string DueCommand(Partition partition) const {
    CommandText text(5);
    text.Add("ZRANGE").Add(core_.layout.Deadlines(partition, core_.generation));
    text.Add("0").Add(absl::StrCat(PageSize())).Add("WITHSCORES");
    return std::move(text).Take();
  }

  void TakeDue(Partition partition, const absl::StatusOr<Reply>& reply) {
    if (!reply.ok()) return core_.due.Forget(partition);
    const ReplyView scored = reply->view();
    for (size_t i = 0; i + 1 < scored.size(); i += 2) {
      const base::UnixMs deadline = DeadlineIn(scored[i + 1].text());
      const bool full = due_[partition].size() >= PageSize();
      if (full || deadline > expired_by_) {
        result_.more |= deadline <= expired_by_;
        return core_.due.Note(partition, deadline);
      }
      due_[partition].push_back({std::string(scored[i].text()), partition});
    }
  }

  void Remove(const absl::Status& status) {
    if (!status.ok()) {
      core_.due.ForgetAll();
      return std::move(done_)(status);
    }
    auto all =
        std::make_shared<Gathering>([self = shared_from_this()](const absl::Status& removed) {
          if (!removed.ok()) return std::move(self->done_)(removed);
          std::move(self->done_)(self->result_);
        });
    for (int i = 0; i < kPartitions; ++i) RemoveIn(static_cast<Partition>(i), all);
    all->Finish(absl::OkStatus());
  }

  void RemoveIn(Partition partition, const std::shared_ptr<Gathering>& all) {
    std::vector<Place>& due = due_[partition];
    if (due.size() > left_) {
      due.resize(left_);
      result_.more = true;
      core_.due.Forget(partition);
    }
    left_ -= due.size();
    if (due.empty()) return;
    all->Add();
    RemoveUnseen(
        core_, partition, std::move(due), expired_by_,
        [self = shared_from_this(), partition, all](const absl::StatusOr<uint64_t>& removed) {
          if (removed.ok()) self->result_.removed += *removed;
          if (!removed.ok()) self->core_.due.Forget(partition);
          all->Finish(removed.status());
        });
  }

  Core& core_;
  const base::UnixMs expired_by_;
  size_t left_;  // Of what may be removed.
  Done done_;
  SweepResult result_;
  std::array<std::vector<Place>, kPartitions> due_;
};

}  // namespace

void SweepExpired(Core& core, size_t max_entries, Done done) {
  std::make_shared<Sweep>(core, max_entries, std::move(done))->Start();
}

}  // namespace tarn::storage::redis
