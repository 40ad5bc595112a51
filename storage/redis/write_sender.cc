#include "storage/redis/write_sender.h"

#include <memory>
#include <optional>
#include <utility>

#include "storage/base/checksum.h"
#include "storage/redis/settle.h"
#include "storage/redis/unit.h"

namespace tarn::storage::redis {
namespace {

constexpr int64_t kAgainMs = 100;

// Told apart from the keys of users by their namespace.
constexpr uint64_t kNameSeed = uint64_t{1} << 40;

class WritesUnit final : public Unit {
 public:
  WritesUnit(Core& core, Partition partition, std::string name, std::vector<std::string> commands,
             absl::AnyInvocable<void(const absl::Status&) &&> done)
      : Unit(core, partition),
        name_(std::move(name)),
        commands_(std::move(commands)),
        done_(std::move(done)) {
    keys.push_back(base::Checksum64(name_, kNameSeed));
  }

 private:
  std::shared_ptr<WritesUnit> Self() {
    return std::static_pointer_cast<WritesUnit>(shared_from_this());
  }

  void Attempt() override {
    if (!TakeLease(CommandKind::kWrite)) return;
    awaited_ = commands_.size() + 1;
    worst_ = {};
    const std::shared_ptr<KeyLease> lease = lease_;
    for (const std::string& command : commands_) {
      lease->Send(CommandKind::kWrite, command,
                  [self = Self()](Answer& answer) { self->Answered(answer.outcome); });
    }
    Answered({});
  }

  // What is not known is worse than what failed.
  void Answered(const Outcome& outcome) {
    const bool is_worse =
        worst_.executed != Executed::kUnknown && outcome.code != absl::StatusCode::kOk;
    if (is_worse) worst_ = outcome;
    if (--awaited_ > 0) return;
    if (worst_.executed == Executed::kUnknown) return Bury();
    if (worst_.code == absl::StatusCode::kOk) return Finish(absl::OkStatus());
    AttemptFailed(worst_);
  }

  void Bury() {
    unknown_ = worst_;
    // What is read there does not matter, as long as it is a string.
    Settle(core_, lease_, core_.layout.Owner(partition_),
           [self = Self()](const std::optional<std::string>& header) {
             self->lease_.reset();
             if (header) return self->Attempt();
             self->Finish(ToStatus(*self->unknown_, self->core_.address));
           });
  }

  void GiveUp(const absl::Status& status) override {
    if (!unknown_) return Finish(status);
    if (core_.closing) return Finish(ToStatus(*unknown_, core_.address));
    After(core_, kAgainMs, [self = Self()] { self->Attempt(); });
  }

  void Finish(const absl::Status& status) {
    Leave();
    std::move(done_)(status);
  }

  const std::string name_;
  const std::vector<std::string> commands_;
  absl::AnyInvocable<void(const absl::Status&) &&> done_;
  size_t awaited_ = 0;
  Outcome worst_;
  std::optional<Outcome> unknown_;  // Of an earlier attempt.
};

}  // namespace

void SendWrites(Core& core, Partition partition, std::string name,
                std::vector<std::string> commands,
                absl::AnyInvocable<void(const absl::Status&) &&> done) {
  std::make_shared<WritesUnit>(core, partition, std::move(name), std::move(commands),
                               std::move(done))
      ->Enter();
}

}  // namespace tarn::storage::redis
