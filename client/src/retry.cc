#include "client/src/retry.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/src/status_mapping.h"
#include "tarn/error.h"

namespace tarn::internal {
namespace {

// Whether the error is the server's answer to the request, and not only to this attempt.
bool IsAnswer(const absl::Status& status) {
  switch (ReasonOf(status)) {
    case Reason::kUnknownClient:
    case Reason::kRequestTooOld:
    case Reason::kRequestMismatch:
      return false;
    default:
      break;
  }
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kOutOfRange:
      return true;
    default:
      return false;
  }
}

}  // namespace

Retrier::Retrier(CallKind kind, std::unique_ptr<RetryPolicy> retry,
                 std::unique_ptr<BackoffPolicy> backoff, TimePoint deadline,
                 std::function<TimePoint()> now)
    : kind_(kind),
      retry_(std::move(retry)),
      backoff_(std::move(backoff)),
      deadline_(deadline),
      now_(std::move(now)) {}

std::optional<std::chrono::nanoseconds> Retrier::OnFailure(const absl::Status& status) {
  ++attempts_;
  if (MayRepeat(status) && retry_->OnFailure(status)) {
    if (const auto pause = Pause(status)) {
      may_be_done_ |= kind_.access == Access::kWrite && IsOutcomeUnknown(status);
      return pause;
    }
  }
  failure_ = Final(status);
  return std::nullopt;
}

bool Retrier::MayRepeat(const absl::Status& status) const {
  if (IsTransient(status)) return true;
  if (!IsOutcomeUnknown(status)) return false;
  return kind_.access == Access::kRead || kind_.idempotency == Idempotency::kIdempotent;
}

std::optional<std::chrono::nanoseconds> Retrier::Pause(const absl::Status& status) {
  std::chrono::nanoseconds pause = backoff_->Next();
  if (const auto asked = RetryAfter(status))
    pause = std::max<std::chrono::nanoseconds>(pause, *asked);
  if (pause >= deadline_ - now_()) return std::nullopt;
  return pause;
}

absl::Status Retrier::Final(const absl::Status& status) const {
  const std::string context =
      attempts_ == 1 ? kind_.name : absl::StrCat(kind_.name, " (", attempts_, " attempts)");
  // A precondition that fails now may have been met by the attempt that nobody heard of again.
  const bool known = kind_.has_request_id && IsAnswer(status);
  const bool hidden = may_be_done_ && !IsOutcomeUnknown(status) && !known;
  return WithContext(hidden ? OutcomeUnknown(status) : status, context);
}

}  // namespace tarn::internal
