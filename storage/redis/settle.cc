#include "storage/redis/settle.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/redis/command.h"
#include "storage/redis/record.h"

namespace tarn::storage::redis {
namespace {

constexpr int64_t kFirstPauseMs = 20;
constexpr int64_t kLongestPauseMs = 1000;

class Settlement final : public std::enable_shared_from_this<Settlement> {
 public:
  Settlement(Core& core, std::shared_ptr<KeyLease> lease, std::string name,
             absl::AnyInvocable<void(std::optional<std::string>) &&> done)
      : core_(core), lease_(std::move(lease)), name_(std::move(name)), done_(std::move(done)) {}

  void Begin() {
    if (core_.closing) return Give(std::nullopt);
    lease_->Bury([self = shared_from_this()](const absl::Status& status) {
      status.ok() ? self->Ask() : self->TryLater();
    });
  }

 private:
  void Ask() {
    lease_->SendAnew(
        CommandKind::kRead,
        FormatCommand({"GETRANGE", name_, "0", absl::StrCat(kRecordHeaderBytes - 1)}),
        [self = shared_from_this()](Answer& answer) {
          if (answer.reply && answer.reply->view().kind() == ReplyView::Kind::kString) {
            return self->Give(std::string(answer.reply->view().text()));
          }
          self->TryLater();
        });
  }

  void TryLater() {
    After(core_, pause_ms_, [self = shared_from_this()] { self->Begin(); });
    pause_ms_ = std::min(2 * pause_ms_, kLongestPauseMs);
  }

  void Give(std::optional<std::string> header) {
    if (header) core_.counters.settled.fetch_add(1, std::memory_order_relaxed);
    lease_.reset();
    std::move(done_)(std::move(header));
  }

  Core& core_;
  std::shared_ptr<KeyLease> lease_;
  const std::string name_;
  absl::AnyInvocable<void(std::optional<std::string>) &&> done_;
  int64_t pause_ms_ = kFirstPauseMs;
};

}  // namespace

void Settle(Core& core, std::shared_ptr<KeyLease> lease, std::string name,
            absl::AnyInvocable<void(std::optional<std::string>) &&> done) {
  core.counters.lost.fetch_add(1, std::memory_order_relaxed);
  std::make_shared<Settlement>(core, std::move(lease), std::move(name), std::move(done))->Begin();
}

}  // namespace tarn::storage::redis
