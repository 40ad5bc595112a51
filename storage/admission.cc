#include "storage/admission.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::storage {
namespace {

using base::Reason;

// Below this, comparing each key with each is faster than a hash set, which must be allocated.
constexpr size_t kFewOperations = 8;

absl::Status Invalid(Reason reason, absl::string_view message) {
  return base::MakeError(absl::StatusCode::kInvalidArgument, reason, message);
}

absl::Status TooLarge(Reason reason, absl::string_view what, size_t size, size_t limit) {
  return Invalid(
      reason, absl::StrCat("the ", what, " has ", size, " bytes, at most ", limit, " are allowed"));
}

absl::Status Duplicate() {
  return Invalid(Reason::kDuplicateKey, "an atomic batch may change a key only once");
}

std::optional<Refusal> FindAmongFew(absl::Span<const Operation> operations) {
  for (size_t i = 1; i < operations.size(); ++i) {
    if (!IsMutation(operations[i].kind)) continue;
    for (size_t j = 0; j < i; ++j) {
      if (IsMutation(operations[j].kind) && operations[j].key == operations[i].key) {
        return Refusal{.index = i, .status = Duplicate()};
      }
    }
  }
  return std::nullopt;
}

absl::Status CheckPrecondition(const Precondition& precondition) {
  switch (precondition.kind) {
    case Precondition::Kind::kNone:
    case Precondition::Kind::kAbsent:
    case Precondition::Kind::kPresent:
      return absl::OkStatus();
    case Precondition::Kind::kRevision:
      if (precondition.revision != 0) return absl::OkStatus();
      return Invalid(Reason::kInvalidPrecondition, "0 is no revision");
  }
  return Invalid(Reason::kInvalidPrecondition, "the precondition is of no known kind");
}

bool HasValue(OperationKind kind) {
  return kind == OperationKind::kPut || kind == OperationKind::kAppend;
}

bool HasDeadline(OperationKind kind) {
  return HasValue(kind) || kind == OperationKind::kAdd || kind == OperationKind::kTouch;
}

}  // namespace

absl::Status CheckBatchSize(size_t operations, const Limits& limits) {
  if (operations == 0) return Invalid(Reason::kInvalidRequest, "the batch has no operations");
  if (operations <= limits.max_batch_operations) return absl::OkStatus();
  return Invalid(Reason::kBatchTooLarge,
                 absl::StrCat("the batch has ", operations, " operations, at most ",
                              limits.max_batch_operations, " are allowed"));
}

std::optional<Refusal> FindDuplicateMutation(absl::Span<const Operation> operations) {
  if (operations.size() <= kFewOperations) return FindAmongFew(operations);
  absl::flat_hash_set<absl::string_view> mutated;
  mutated.reserve(operations.size());
  for (size_t i = 0; i < operations.size(); ++i) {
    if (!IsMutation(operations[i].kind) || mutated.insert(operations[i].key).second) continue;
    return Refusal{.index = i, .status = Duplicate()};
  }
  return std::nullopt;
}

absl::Status Admission::Admit(Operation& operation) {
  if (operation.key.empty()) return Invalid(Reason::kInvalidKey, "the key is empty");
  if (operation.key.size() > limits_.max_key_bytes) {
    return TooLarge(Reason::kKeyTooLarge, "key", operation.key.size(), limits_.max_key_bytes);
  }
  if (HasValue(operation.kind) && operation.value.size() > limits_.max_value_bytes) {
    return TooLarge(Reason::kValueTooLarge, "value", operation.value.size(),
                    limits_.max_value_bytes);
  }
  TARN_RETURN_IF_ERROR(CheckPrecondition(operation.precondition));
  operation.ns = ns_;
  operation.receipt = nullptr;
  return HasDeadline(operation.kind) ? ResolveDeadline(operation) : absl::OkStatus();
}

absl::Status Admission::ResolveDeadline(Operation& operation) {
  const Ttl& ttl = operation.ttl;
  operation.deadline_rule = DeadlineRule::kSet;
  operation.deadline = base::kNever;
  switch (ttl.kind) {
    case Ttl::Kind::kNever:
      return absl::OkStatus();
    case Ttl::Kind::kUnset:
      if (operation.kind == OperationKind::kTouch) {
        return Invalid(Reason::kInvalidTtl, "a touch needs a TTL");
      }
      if (operation.kind != OperationKind::kPut) {
        operation.deadline_rule = DeadlineRule::kKeepExisting;
      }
      // The default was checked when it was set; only a clock far in the future meets this bound.
      if (default_ttl_ms_ != 0) {
        operation.deadline = std::min(Now(), kMaxDeadline - default_ttl_ms_) + default_ttl_ms_;
      }
      return absl::OkStatus();
    case Ttl::Kind::kDuration:
      break;
  }
  if (ttl.milliseconds <= 0 || ttl.milliseconds > limits_.max_ttl_ms) {
    return Invalid(Reason::kInvalidTtl, absl::StrCat("the TTL must be 1 to ", limits_.max_ttl_ms,
                                                     " ms, not ", ttl.milliseconds));
  }
  if (ttl.milliseconds > kMaxDeadline - Now()) {
    return Invalid(Reason::kInvalidTtl, "the TTL ends after the year 9999");
  }
  operation.deadline = Now() + ttl.milliseconds;
  return absl::OkStatus();
}

base::UnixMs Admission::Now() {
  if (!now_) now_ = clock_.Now();
  return *now_;
}

}  // namespace tarn::storage
