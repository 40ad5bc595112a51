#include "tests/model/semantics.h"

#include <limits>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::testing {
namespace {

using base::MakeError;
using base::Reason;
using storage::Operation;
using storage::OperationKind;
using storage::Precondition;

absl::Status CheckPrecondition(const Precondition& precondition, const Entry* live) {
  const bool exists = live != nullptr;
  if (precondition.kind == Precondition::Kind::kAbsent && exists) {
    return MakeError(absl::StatusCode::kFailedPrecondition, Reason::kAlreadyExists, "exists");
  }
  if (precondition.kind == Precondition::Kind::kPresent && !exists) {
    return MakeError(absl::StatusCode::kFailedPrecondition, Reason::kKeyNotFound, "does not exist");
  }
  const bool at_revision = exists && live->revision == precondition.revision;
  if (precondition.kind == Precondition::Kind::kRevision && !at_revision) {
    return MakeError(absl::StatusCode::kAborted, Reason::kRevisionMismatch, "not at this revision");
  }
  return absl::OkStatus();
}

// Canonical is what printing the number gives.
std::optional<int64_t> Integer(const std::string& text) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number) || absl::StrCat(number) != text) return std::nullopt;
  return number;
}

UnixMs DeadlineOf(const Operation& operation, const Entry* live) {
  const bool keeps = operation.deadline_rule == storage::DeadlineRule::kKeepExisting;
  return keeps && live != nullptr ? live->deadline : operation.deadline;
}

void Write(const Operation& operation, const Entry* live, Revision revision, std::string value,
           Verdict& verdict) {
  verdict.change = Verdict::Change::kWrite;
  verdict.after = {std::move(value), revision, DeadlineOf(operation, live)};
  verdict.answer.revision = revision;
  verdict.answer.deadline = verdict.after.deadline;
}

void DoAdd(const Operation& operation, const Entry* live, Revision revision, Verdict& verdict) {
  const std::optional<int64_t> before = live == nullptr ? 0 : Integer(live->value);
  if (!before) {
    verdict.answer.status =
        MakeError(absl::StatusCode::kFailedPrecondition, Reason::kNotAnInteger, "text");
    return;
  }
  const __int128 sum = static_cast<__int128>(*before) + operation.delta;
  if (sum > std::numeric_limits<int64_t>::max() || sum < std::numeric_limits<int64_t>::min()) {
    verdict.answer.status =
        MakeError(absl::StatusCode::kOutOfRange, Reason::kIntegerOverflow, "too far");
    return;
  }
  verdict.answer.number = static_cast<int64_t>(sum);
  Write(operation, live, revision, absl::StrCat(verdict.answer.number), verdict);
}

void DoAppend(const Operation& operation, const Entry* live, Revision revision,
              const storage::Limits& limits, Verdict& verdict) {
  std::string value = live == nullptr ? "" : live->value;
  value.append(operation.value.data(), operation.value.size());
  if (value.size() > limits.max_value_bytes) {
    verdict.answer.status =
        MakeError(absl::StatusCode::kInvalidArgument, Reason::kValueTooLarge, "too long");
    return;
  }
  verdict.answer.size = value.size();
  Write(operation, live, revision, std::move(value), verdict);
}

void DoRemove(const Operation& operation, const Entry* live, Revision revision, Verdict& verdict) {
  if (live == nullptr) return;
  verdict.change = Verdict::Change::kErase;
  verdict.answer.revision = revision;
  if (operation.kind == OperationKind::kTake) verdict.answer.value = live->value;
}

}  // namespace

Verdict Judge(const Operation& operation, const Entry* live, Revision revision,
              const storage::Limits& limits) {
  Verdict verdict;
  verdict.answer.status = CheckPrecondition(operation.precondition, live);
  if (!verdict.answer.status.ok()) return verdict;
  verdict.answer.found = live != nullptr;
  switch (operation.kind) {
    case OperationKind::kGet:
      if (live == nullptr) break;
      verdict.answer.value = live->value;
      verdict.answer.revision = live->revision;
      verdict.answer.deadline = live->deadline;
      break;
    case OperationKind::kPut:
      Write(operation, live, revision, std::string(operation.value), verdict);
      break;
    case OperationKind::kDelete:
    case OperationKind::kTake:
      DoRemove(operation, live, revision, verdict);
      break;
    case OperationKind::kAdd:
      DoAdd(operation, live, revision, verdict);
      break;
    case OperationKind::kAppend:
      DoAppend(operation, live, revision, limits, verdict);
      break;
    case OperationKind::kTouch:
      if (live != nullptr) Write(operation, live, revision, live->value, verdict);
      break;
  }
  return verdict;
}

}  // namespace tarn::testing
