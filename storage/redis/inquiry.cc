#include "storage/redis/inquiry.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <system_error>
#include <utility>

#include "storage/base/error.h"

namespace tarn::storage::redis {
namespace {

constexpr int64_t kNanosPerMs = 1'000'000;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

BackoffOptions AgainOptions(const InquiryOptions& options) {
  return {options.again_base_ms, options.again_cap_ms, std::numeric_limits<int>::max()};
}

absl::Status Asked() {
  return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kEngineUnavailable,
                         "it was asked");
}

}  // namespace

Inquiry::Inquiry(asio::io_context& context, const base::Clock& clock, base::RandomSource& random,
                 const InquiryOptions& options, Hooks hooks)
    : context_(context),
      clock_(clock),
      random_(random),
      options_(options),
      hooks_(std::move(hooks)),
      timer_(context),
      again_(std::in_place, AgainOptions(options), random),
      ask_at_ns_(kNever) {}

std::shared_ptr<Inquiry> Inquiry::Create(asio::io_context& context, const base::Clock& clock,
                                         base::RandomSource& random, const InquiryOptions& options,
                                         Hooks hooks) {
  auto inquiry = std::make_shared<Inquiry>(context, clock, random, options, std::move(hooks));
  inquiry->AskIn(0);
  return inquiry;
}

void Inquiry::Ask() {
  if (asking_) {
    once_more_ = true;
    return;
  }
  AskIn(AgainMs());
}

void Inquiry::Close() {
  closed_ = true;
  timer_.cancel();
  if (question_ != nullptr) question_->Abort(Asked());
}

int64_t Inquiry::AgainMs() { return again_->NextMs(options_.again_cap_ms + 1).value_or(0); }

// Unless that is planned for an earlier moment.
void Inquiry::AskIn(int64_t wait_ms) {
  const int64_t now_ns = clock_.MonotonicNanos();
  int64_t at_ns = now_ns + wait_ms * kNanosPerMs;
  if (asked_at_ns_) {
    at_ns = std::max(at_ns, *asked_at_ns_ + options_.min_interval_ms * kNanosPerMs);
  }
  if (closed_ || ask_at_ns_ <= at_ns) return;
  ask_at_ns_ = at_ns;
  timer_.expires_after(std::chrono::nanoseconds(at_ns - now_ns));
  timer_.async_wait([self = shared_from_this()](std::error_code error) {
    if (!error) self->StartRound();
  });
}

void Inquiry::StartRound() {
  ask_at_ns_ = kNever;
  if (closed_) return;
  asked_at_ns_ = clock_.MonotonicNanos();
  asking_ = true;
  once_more_ = false;
  ++rounds_;
  AskNext(hooks_.candidates());
}

// The first of `left`, then the others.
void Inquiry::AskNext(std::vector<Endpoint> left) {
  if (closed_) return;
  if (left.empty()) {
    ++failed_;
    return FinishRound(AgainMs());
  }
  const Endpoint asked = left.front();
  left.erase(left.begin());
  ConnectionOptions options = options_.connection;
  options.transport.endpoint = asked;
  options.role = RequiredRole::kAny;
  question_ = Connection::Open(
      context_, clock_, options, [](const absl::Status&) {}, [](const absl::Status&) {});
  question_->Send(
      CommandKind::kRead, options_.command,
      [self = shared_from_this(), asked, left = std::move(left)](Answer& answer) mutable {
        self->FinishQuestion(asked, std::move(left), answer);
      });
}

void Inquiry::FinishQuestion(const Endpoint& asked, std::vector<Endpoint> left,
                             const Answer& answer) {
  question_->Abort(Asked());
  if (closed_) return;
  const bool known = answer.outcome.event == Event::kReply;
  if (!known || !hooks_.take(asked, answer.reply->view())) return AskNext(std::move(left));
  again_.emplace(AgainOptions(options_), random_);
  FinishRound(once_more_ ? AgainMs() : options_.poll_interval_ms);
}

void Inquiry::FinishRound(int64_t wait_ms) {
  asking_ = false;
  AskIn(wait_ms);
}

}  // namespace tarn::storage::redis
