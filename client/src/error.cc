#include "tarn/error.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "client/src/reason_names.h"
#include "google/rpc/error_details.pb.h"

namespace tarn {
namespace {

using internal::NamedReason;

constexpr char kErrorInfoUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kRetryInfoUrl[] = "type.googleapis.com/google.rpc.RetryInfo";
constexpr char kBadRequestUrl[] = "type.googleapis.com/google.rpc.BadRequest";

template <typename Message>
std::optional<Message> Payload(const absl::Status& status, const char* url) {
  const absl::optional<absl::Cord> bytes = status.GetPayload(url);
  Message message;
  if (!bytes.has_value() || !message.ParseFromString(std::string(*bytes))) return std::nullopt;
  return message;
}

bool IsOwn(Reason reason) {
  return std::ranges::any_of(internal::OwnReasons(),
                             [reason](const NamedReason& n) { return n.reason == reason; });
}

Reason FromName(std::span<const NamedReason> names, std::string_view name) {
  const auto found = std::ranges::find(names, name, &NamedReason::name);
  return found == names.end() ? Reason::kOther : found->reason;
}

Reason ReasonIn(const google::rpc::ErrorInfo& info) {
  if (info.domain() == internal::kServerDomain) {
    return FromName(internal::ServerReasons(), info.reason());
  }
  if (info.domain() == internal::kOwnDomain) {
    return FromName(internal::OwnReasons(), info.reason());
  }
  return Reason::kNone;
}

}  // namespace

std::string_view ReasonName(Reason reason) {
  for (const auto names : {internal::ServerReasons(), internal::OwnReasons()}) {
    const auto found = std::ranges::find(names, reason, &NamedReason::reason);
    if (found != names.end()) return found->name;
  }
  return {};
}

Reason ReasonOf(const absl::Status& status) {
  if (status.ok()) return Reason::kNone;
  const auto info = Payload<google::rpc::ErrorInfo>(status, kErrorInfoUrl);
  return info.has_value() ? ReasonIn(*info) : Reason::kNone;
}

std::optional<std::chrono::milliseconds> RetryAfter(const absl::Status& status) {
  if (status.ok()) return std::nullopt;
  const auto info = Payload<google::rpc::RetryInfo>(status, kRetryInfoUrl);
  if (!info.has_value()) return std::nullopt;
  const auto& delay = info->retry_delay();
  // Rounded up: sooner than asked for is never right.
  return std::chrono::milliseconds(delay.seconds() * 1000 + (delay.nanos() + 999'999) / 1'000'000);
}

bool IsOutcomeUnknown(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnknown:
      return true;
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnavailable:
      return ReasonOf(status) == Reason::kNone;
    default:
      return false;
  }
}

bool IsTransient(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return ReasonOf(status) != Reason::kNone;
    case absl::StatusCode::kResourceExhausted:
      return RetryAfter(status).has_value();
    default:
      return false;
  }
}

ErrorDetails DetailsOf(const absl::Status& status) {
  ErrorDetails details;
  if (status.ok()) return details;
  details.reason = ReasonOf(status);
  if (const auto info = Payload<google::rpc::ErrorInfo>(status, kErrorInfoUrl)) {
    details.reason_name = info->reason();
    details.metadata.insert(info->metadata().begin(), info->metadata().end());
  }
  details.retry_after = RetryAfter(status);
  if (const auto bad = Payload<google::rpc::BadRequest>(status, kBadRequestUrl)) {
    for (const auto& violation : bad->field_violations()) {
      details.field_violations.emplace(violation.field(), violation.description());
    }
  }
  return details;
}

absl::Status MakeError(absl::StatusCode code, Reason reason, std::string_view message) {
  absl::Status status(code, absl::string_view(message.data(), message.size()));
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(ReasonName(reason)));
  info.set_domain(std::string(IsOwn(reason) ? internal::kOwnDomain : internal::kServerDomain));
  status.SetPayload(kErrorInfoUrl, absl::Cord(info.SerializeAsString()));
  return status;
}

}  // namespace tarn
