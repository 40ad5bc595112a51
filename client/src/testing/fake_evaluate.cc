#include "client/src/testing/fake_evaluate.h"

#include <charconv>
#include <string>
#include <string_view>

#include "tarn/error.h"
#include "tarn/testing/fake_store.h"

namespace tarn::testing {
namespace {

using absl::StatusCode;

constexpr std::chrono::milliseconds kMaxTtl = std::chrono::hours(24) * 365 * 100;

absl::Status Invalid(Reason reason, std::string_view message) {
  return MakeError(StatusCode::kInvalidArgument, reason, message);
}

bool HasValue(OperationKind kind) {
  return kind == OperationKind::kPut || kind == OperationKind::kAppend;
}

bool TakesTtl(OperationKind kind) {
  return HasValue(kind) || kind == OperationKind::kIncrement || kind == OperationKind::kTouch;
}

absl::Status CheckPrecondition(const Precondition& precondition, const Entry* entry) {
  switch (precondition.kind()) {
    case Precondition::Kind::kNone:
      return absl::OkStatus();
    case Precondition::Kind::kAbsent:
      if (entry == nullptr) return absl::OkStatus();
      return MakeError(StatusCode::kFailedPrecondition, Reason::kAlreadyExists, "the key exists");
    case Precondition::Kind::kPresent:
      if (entry != nullptr) return absl::OkStatus();
      return MakeError(StatusCode::kFailedPrecondition, Reason::kKeyNotFound,
                       "the key does not exist");
    case Precondition::Kind::kRevision:
      if (entry != nullptr && entry->revision == precondition.revision()) return absl::OkStatus();
      return MakeError(StatusCode::kAborted, Reason::kRevisionMismatch,
                       "the entry does not have the revision");
  }
  return absl::InternalError("no such precondition");
}

// The canonical decimal form only: "007" and "-0" are text.
std::optional<int64_t> ParseNumber(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (std::to_string(number) != text) return std::nullopt;
  return number;
}

absl::StatusOr<int64_t> Sum(const Operation& operation, const Entry* entry) {
  const auto current = entry == nullptr ? std::optional<int64_t>(0) : ParseNumber(entry->value);
  if (!current.has_value()) {
    return MakeError(StatusCode::kFailedPrecondition, Reason::kNotAnInteger,
                     "the value is not an integer");
  }
  int64_t sum = 0;
  if (!__builtin_add_overflow(*current, operation.delta, &sum)) return sum;
  return MakeError(StatusCode::kOutOfRange, Reason::kIntegerOverflow,
                   "the sum is not a 64-bit integer");
}

std::optional<Timestamp> DeadlineFor(const Operation& operation, const Entry* entry,
                                     const NamespaceSettings& settings, Timestamp now) {
  switch (operation.ttl.kind()) {
    case Ttl::Kind::kNever:
      return std::nullopt;
    case Ttl::Kind::kDuration:
      return now + operation.ttl.span();
    case Ttl::Kind::kDefault:
      break;
  }
  if (operation.kind != OperationKind::kPut && entry != nullptr) return entry->expire_time;
  if (!settings.default_ttl.has_value()) return std::nullopt;
  return now + *settings.default_ttl;
}

absl::StatusOr<std::string> NewValue(const Operation& operation, const Entry* entry,
                                     OperationResult& result) {
  if (operation.kind == OperationKind::kPut) return operation.value;
  if (operation.kind == OperationKind::kTouch) return entry->value;
  if (operation.kind == OperationKind::kAppend) {
    std::string value = (entry == nullptr ? "" : entry->value) + operation.value;
    if (value.size() > FakeStore::kMaxValueBytes) {
      return Invalid(Reason::kValueTooLarge, "the value would be too large");
    }
    result.size_bytes = value.size();
    return value;
  }
  const absl::StatusOr<int64_t> sum = Sum(operation, entry);
  if (!sum.ok()) return sum.status();
  result.number = *sum;
  return std::to_string(*sum);
}

}  // namespace

absl::Status CheckTtl(std::chrono::milliseconds ttl) {
  if (ttl.count() > 0 && ttl <= kMaxTtl) return absl::OkStatus();
  return Invalid(Reason::kInvalidTtl, "the TTL is not positive, or too long");
}

absl::Status CheckOperation(const Operation& operation) {
  if (operation.key.empty()) return Invalid(Reason::kInvalidKey, "the key is empty");
  if (operation.key.size() > FakeStore::kMaxKeyBytes) {
    return Invalid(Reason::kKeyTooLarge, "the key is too large");
  }
  if (HasValue(operation.kind) && operation.value.size() > FakeStore::kMaxValueBytes) {
    return Invalid(Reason::kValueTooLarge, "the value is too large");
  }
  if (operation.precondition == Precondition::AtRevision(0)) {
    return Invalid(Reason::kInvalidPrecondition, "0 is no revision");
  }
  const Ttl::Kind ttl = operation.ttl.kind();
  if (operation.kind == OperationKind::kTouch && ttl == Ttl::Kind::kDefault) {
    return Invalid(Reason::kInvalidTtl, "a touch needs a TTL");
  }
  if (!TakesTtl(operation.kind) || ttl != Ttl::Kind::kDuration) return absl::OkStatus();
  return CheckTtl(operation.ttl.span());
}

absl::StatusOr<FakeChange> EvaluateOperation(const Operation& operation, const Entry* entry,
                                             const NamespaceSettings& settings, Timestamp now) {
  const absl::Status met = CheckPrecondition(operation.precondition, entry);
  if (!met.ok()) return met;
  FakeChange change;
  change.result.found = entry != nullptr;
  const OperationKind kind = operation.kind;
  if (entry != nullptr && (kind == OperationKind::kGet || kind == OperationKind::kTake)) {
    change.result.value = entry->value;
  }
  if (kind == OperationKind::kGet) {
    if (entry == nullptr) return change;
    change.result.revision = entry->revision;
    change.result.expire_time = entry->expire_time;
    return change;
  }
  if (kind == OperationKind::kDelete || kind == OperationKind::kTake) {
    change.kind = entry == nullptr ? FakeChange::Kind::kNothing : FakeChange::Kind::kErase;
    return change;
  }
  if (kind == OperationKind::kTouch && entry == nullptr) return change;
  absl::StatusOr<std::string> value = NewValue(operation, entry, change.result);
  if (!value.ok()) return value.status();
  change.kind = FakeChange::Kind::kWrite;
  change.result.expire_time = DeadlineFor(operation, entry, settings, now);
  change.entry = {operation.key, *std::move(value), 0, change.result.expire_time};
  return change;
}

}  // namespace tarn::testing
