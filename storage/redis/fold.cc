#include "storage/redis/fold.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "storage/base/checksum.h"
#include "storage/redis/command_text.h"
#include "storage/redis/settle.h"
#include "storage/redis/unit.h"

namespace tarn::storage::redis {
namespace {

// Told apart from the keys of users by their namespace.
constexpr uint64_t kNameSeed = uint64_t{1} << 41;

// Of one command.
constexpr size_t kMaxMembers = 256;
constexpr size_t kMaxBytes = size_t{256} << 10;

// Commands under way: as long as Redis keeps up with those who append, no more.
constexpr size_t kWindow = 4;

absl::Status Changed() { return absl::AbortedError("another server answers"); }

class FoldUnit final : public Unit {
 public:
  FoldUnit(Core& core, Partition partition, std::string list, FoldPlan plan,
           absl::AnyInvocable<void(const absl::Status&) &&> done)
      : Unit(core, partition),
        list_(std::move(list)),
        plan_(std::move(plan)),
        done_(std::move(done)) {
    keys.push_back(base::Checksum64(list_, kNameSeed));
  }

 private:
  std::shared_ptr<FoldUnit> Self() {
    return std::static_pointer_cast<FoldUnit>(shared_from_this());
  }

  // Another server is known to be another one before there is a lease of it.
  void Attempt() override {
    if (!TakeLease(CommandKind::kWrite)) return;
    if (!plan_.is_complete()) return Finish(Changed());
    commands_ = plan_.add_commands();
    sent_ = 0;
    worst_ = {};
    SendMore();
  }

  // Itself under way while it sends: an answer may come at once.
  void SendMore() {
    ++under_way_;
    while (worst_.code == absl::StatusCode::kOk && sent_ < commands_.size() &&
           under_way_ <= kWindow) {
      Send(std::move(commands_[sent_++]), &FoldUnit::AddAnswered);
    }
    --under_way_;
    if (under_way_ > 0) return;
    if (worst_.code != absl::StatusCode::kOk) return Failed();
    if (!plan_.is_complete()) return Finish(Changed());
    CommandText text(2);
    text.Add("UNLINK").Add(list_);
    Send(std::move(text).Take(), &FoldUnit::RemovalAnswered);
  }

  void Send(std::string command, void (FoldUnit::*answered)()) {
    ++under_way_;
    lease_->Send(CommandKind::kWrite, std::move(command),
                 [self = Self(), answered](Answer& answer) {
                   --self->under_way_;
                   self->Note(answer.outcome);
                   (self.get()->*answered)();
                 });
  }

  // What is not known is worse than what failed.
  void Note(const Outcome& outcome) {
    const bool is_worse =
        worst_.executed != Executed::kUnknown && outcome.code != absl::StatusCode::kOk;
    if (is_worse) worst_ = outcome;
  }

  void AddAnswered() { SendMore(); }

  // Whoever removed it may be the primary no more: then it is still there.
  void RemovalAnswered() {
    if (worst_.code != absl::StatusCode::kOk) return Failed();
    Finish(plan_.is_complete() ? absl::OkStatus() : Changed());
  }

  void Failed() { worst_.executed == Executed::kUnknown ? Bury(worst_) : AttemptFailed(worst_); }

  // A removal that comes late would take what is appended next.
  void Bury(const Outcome& outcome) {
    // What is read there does not matter, as long as it is a string.
    Settle(core_, lease_, core_.layout.Owner(partition_),
           [self = Self(), outcome](const std::optional<std::string>&) {
             self->Finish(ToStatus(outcome, self->core_.address));
           });
  }

  void GiveUp(const absl::Status& status) override { Finish(status); }

  void Finish(const absl::Status& status) {
    Leave();
    std::move(done_)(status);
  }

  const std::string list_;
  const FoldPlan plan_;
  absl::AnyInvocable<void(const absl::Status&) &&> done_;
  std::vector<std::string> commands_;
  size_t sent_ = 0;
  size_t under_way_ = 0;
  Outcome worst_;
};

}  // namespace

void AppendAddCommands(absl::string_view index, absl::Span<const absl::string_view> members,
                       std::vector<std::string>& commands) {
  while (!members.empty()) {
    size_t count = 0;
    size_t bytes = 0;
    while (count < std::min(members.size(), kMaxMembers) && bytes < kMaxBytes) {
      bytes += members[count++].size();
    }
    CommandText text(2 + 2 * count);
    text.Add("ZADD").Add(index);
    for (const absl::string_view member : members.subspan(0, count)) text.Add("0").Add(member);
    commands.push_back(std::move(text).Take());
    members.remove_prefix(count);
  }
}

void SendFold(Core& core, Partition partition, std::string list, FoldPlan plan,
              absl::AnyInvocable<void(const absl::Status&) &&> done) {
  std::make_shared<FoldUnit>(core, partition, std::move(list), std::move(plan), std::move(done))
      ->Enter();
}

}  // namespace tarn::storage::redis
