#include "storage/redis/sentinel_watch.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <numeric>
#include <system_error>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "storage/base/error.h"
#include "storage/redis/backoff.h"
#include "storage/redis/command.h"
#include "storage/redis/inquiry.h"
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

namespace tarn::storage::redis {
namespace {

constexpr absl::string_view kSwitch = "+switch-master";

absl::Status Ended(absl::string_view why) {
  return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kEngineUnavailable, why);
}

std::optional<Endpoint> MakeEndpoint(absl::string_view host, absl::string_view port) {
  uint32_t number = 0;
  if (!IsHost(host) || !absl::SimpleAtoi(port, &number) || number == 0 || number > UINT16_MAX) {
    return std::nullopt;
  }
  return Endpoint{std::string(host), static_cast<uint16_t>(number)};
}

// Everything except its stats belongs to the loop's thread.
class LoopWatch final : public SentinelWatch, public std::enable_shared_from_this<LoopWatch> {
 public:
  LoopWatch(asio::io_context& context, const base::Clock& clock, base::RandomSource& random,
            const SentinelWatchOptions& options, std::function<void(const Endpoint&)> on_primary)
      : context_(context),
        clock_(clock),
        random_(random),
        options_(options),
        on_primary_(std::move(on_primary)),
        check_timer_(context),
        order_(options.sentinels.size()) {
    std::iota(order_.begin(), order_.end(), 0);
    for (size_t i = 0; i < order_.size(); ++i) {
      sentinels_.push_back(std::make_unique<Sentinel>(context, AgainOptions(), random));
    }
  }

  void Start() {
    asio::post(context_, [self = shared_from_this()] {
      for (size_t i = 0; i < self->sentinels_.size(); ++i) self->Subscribe(i);
      self->BeginToAsk();
      self->ScheduleCheck();
    });
  }

  void Doubt() override {
    asio::post(context_, [self = shared_from_this()] {
      std::rotate(self->order_.begin(), self->order_.begin() + 1, self->order_.end());
      self->AskAgain();
    });
  }

  void Close() override {
    asio::post(context_, [self = shared_from_this()] { self->End(); });
  }

  SentinelWatchStats Stats() const override {
    absl::MutexLock lock(&mutex_);
    SentinelWatchStats stats = stats_;
    if (inquiry_ != nullptr) {
      stats.questions = inquiry_->Stats().rounds;
      stats.unanswered = inquiry_->Stats().failed;
    }
    return stats;
  }

 private:
  struct Sentinel {
    Sentinel(asio::io_context& context, const BackoffOptions& again, base::RandomSource& random)
        : backoff(std::in_place, again, random), timer(context) {}

    std::shared_ptr<Connection> subscription;  // Also while it opens.
    bool subscribed = false;
    std::optional<Backoff> backoff;
    asio::steady_timer timer;
  };

  BackoffOptions AgainOptions() const {
    return {options_.ask_again_base_ms, options_.ask_again_cap_ms, std::numeric_limits<int>::max()};
  }

  ConnectionOptions OptionsFor(size_t index) const {
    ConnectionOptions options = options_.connection;
    options.transport.endpoint = options_.sentinels[index];
    options.role = RequiredRole::kAny;
    return options;
  }

  // --- hearing of a switch ---

  void Subscribe(size_t index) {
    if (closed_) return;
    const auto self = shared_from_this();
    ConnectionOptions options = OptionsFor(index);
    options.on_message = [self, index](ReplyView message) { self->Hear(index, message); };
    auto connection = Connection::Open(
        context_, clock_, options, [](const absl::Status&) {},
        [self, index](const absl::Status&) { self->LoseSubscription(index); });
    connection->Send(
        CommandKind::kRead, FormatCommand({"SUBSCRIBE", kSwitch}),
        [self, index](Answer& answer) { self->FinishSubscribe(index, answer.outcome); });
    sentinels_[index]->subscription = std::move(connection);
  }

  void FinishSubscribe(size_t index, const Outcome& outcome) {
    Sentinel& sentinel = *sentinels_[index];
    if (outcome.event != Event::kReply) {
      return sentinel.subscription->Abort(Ended("a Sentinel refused the subscription"));
    }
    sentinel.subscribed = true;
    sentinel.backoff.emplace(AgainOptions(), random_);
    CountSubscribed();
    AskAgain();  // For what was missed.
  }

  void LoseSubscription(size_t index) {
    Sentinel& sentinel = *sentinels_[index];
    sentinel.subscription = nullptr;
    sentinel.subscribed = false;
    CountSubscribed();
    if (closed_) return;
    const int64_t wait_ms = sentinel.backoff->NextMs(options_.ask_again_cap_ms + 1).value_or(0);
    sentinel.timer.expires_after(std::chrono::milliseconds(wait_ms));
    sentinel.timer.async_wait([self = shared_from_this(), index](std::error_code error) {
      if (!error) self->Subscribe(index);
    });
  }

  void CountSubscribed() {
    absl::MutexLock lock(&mutex_);
    stats_.subscribed = static_cast<int>(std::count_if(
        sentinels_.begin(), sentinels_.end(), [](const auto& s) { return s->subscribed; }));
  }

  void Hear(size_t index, ReplyView message) {
    if (closed_ || message[1].text() != kSwitch) return;
    const std::optional<Endpoint> primary = ParseSwitch(message[2].text(), options_.master);
    if (!primary) return;
    {
      absl::MutexLock lock(&mutex_);
      ++stats_.announcements;
    }
    // Others may not know yet.
    MoveToFront(index);
    Adopt(*primary);
  }

  void ScheduleCheck() {
    if (closed_) return;
    check_timer_.expires_after(std::chrono::milliseconds(options_.check_interval_ms));
    check_timer_.async_wait([self = shared_from_this()](std::error_code error) {
      if (error) return;
      for (const auto& sentinel : self->sentinels_) CheckLife(*sentinel);
      self->ScheduleCheck();
    });
  }

  // No answer is the connection's read timeout.
  static void CheckLife(const Sentinel& sentinel) {
    if (!sentinel.subscribed || sentinel.subscription->pending() > 0) return;
    sentinel.subscription->Send(CommandKind::kRead, FormatCommand({"PING"}),
                                [connection = sentinel.subscription](Answer& answer) {
                                  if (answer.outcome.event == Event::kReply) return;
                                  connection->Abort(Ended("a Sentinel did not answer PING"));
                                });
  }

  // --- asking ---

  void BeginToAsk() {
    Inquiry::Hooks hooks;
    hooks.candidates = [weak = weak_from_this()] {
      const auto self = weak.lock();
      return self == nullptr ? std::vector<Endpoint>() : self->InOrder();
    };
    hooks.take = [weak = weak_from_this()](const Endpoint& asked, ReplyView reply) {
      const auto self = weak.lock();
      return self == nullptr || self->TakeAnswer(asked, reply);
    };
    auto inquiry = Inquiry::Create(context_, clock_, random_, Question(), std::move(hooks));
    absl::MutexLock lock(&mutex_);
    inquiry_ = std::move(inquiry);
  }

  // Null before it has begun.
  std::shared_ptr<Inquiry> begun() const {
    absl::MutexLock lock(&mutex_);
    return inquiry_;
  }

  void AskAgain() {
    if (const std::shared_ptr<Inquiry> inquiry = begun()) inquiry->Ask();
  }

  InquiryOptions Question() const {
    InquiryOptions question;
    question.connection = options_.connection;
    question.command = FormatCommand({"SENTINEL", "get-master-addr-by-name", options_.master});
    question.poll_interval_ms = options_.poll_interval_ms;
    question.again_base_ms = options_.ask_again_base_ms;
    question.again_cap_ms = options_.ask_again_cap_ms;
    return question;
  }

  std::vector<Endpoint> InOrder() const {
    std::vector<Endpoint> endpoints;
    for (const size_t index : order_) endpoints.push_back(options_.sentinels[index]);
    return endpoints;
  }

  bool TakeAnswer(const Endpoint& asked, ReplyView reply) {
    const std::optional<Endpoint> primary = ParsePrimaryAddress(reply);
    if (!primary) return false;
    const auto& all = options_.sentinels;
    MoveToFront(std::find(all.begin(), all.end(), asked) - all.begin());
    Adopt(*primary);
    return true;
  }

  void MoveToFront(size_t index) {
    const auto found = std::find(order_.begin(), order_.end(), index);
    std::rotate(order_.begin(), found, found + 1);
  }

  void Adopt(const Endpoint& primary) {
    if (closed_ || primary_ == primary) return;
    primary_ = primary;
    on_primary_(primary);
  }

  // --- the end ---

  void End() {
    closed_ = true;
    check_timer_.cancel();
    if (const std::shared_ptr<Inquiry> inquiry = begun()) inquiry->Close();
    const absl::Status cause = Ended("nobody asks any more");
    for (const auto& sentinel : sentinels_) {
      sentinel->timer.cancel();
      if (sentinel->subscription != nullptr) sentinel->subscription->Abort(cause);
    }
  }

  asio::io_context& context_;
  const base::Clock& clock_;
  base::RandomSource& random_;
  const SentinelWatchOptions options_;
  const std::function<void(const Endpoint&)> on_primary_;

  mutable absl::Mutex mutex_;
  SentinelWatchStats stats_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<Inquiry> inquiry_ ABSL_GUARDED_BY(mutex_);

  asio::steady_timer check_timer_;
  std::vector<std::unique_ptr<Sentinel>> sentinels_;  // As the options name them.
  std::vector<size_t> order_;                         // In which they are asked.
  std::optional<Endpoint> primary_;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<SentinelWatch> SentinelWatch::Create(
    asio::io_context& context, const base::Clock& clock, base::RandomSource& random,
    const SentinelWatchOptions& options, std::function<void(const Endpoint&)> on_primary) {
  auto watch = std::make_shared<LoopWatch>(context, clock, random, options, std::move(on_primary));
  watch->Start();
  return watch;
}

std::optional<Endpoint> ParsePrimaryAddress(ReplyView reply) {
  if (reply.size() != 2) return std::nullopt;
  return MakeEndpoint(reply[0].text(), reply[1].text());
}

std::optional<Endpoint> ParseSwitch(absl::string_view text, absl::string_view master) {
  // name, old host, old port, new host, new port. A name has no blanks in Sentinel's own file.
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ');
  if (words.size() != 5 || words[0] != master) return std::nullopt;
  return MakeEndpoint(words[3], words[4]);
}

}  // namespace tarn::storage::redis
