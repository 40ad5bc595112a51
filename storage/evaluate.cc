#include "storage/evaluate.h"

#include <charconv>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::storage {
namespace {

using base::MakeError;
using base::Reason;

absl::Status CheckRevision(Revision expected, const Found& entry) {
  if (entry.found && entry.revision == expected) return absl::OkStatus();
  return MakeError(absl::StatusCode::kAborted, Reason::kRevisionMismatch,
                   entry.found
                       ? absl::StrCat("the entry has revision ", entry.revision, ", not ", expected)
                       : absl::StrCat("the key does not exist, so it has no revision ", expected));
}

absl::Status CheckPrecondition(const Precondition& precondition, const Found& entry) {
  switch (precondition.kind) {
    case Precondition::Kind::kNone:
      return absl::OkStatus();
    case Precondition::Kind::kAbsent:
      if (!entry.found) return absl::OkStatus();
      return MakeError(absl::StatusCode::kFailedPrecondition, Reason::kAlreadyExists,
                       absl::StrCat("the key exists at revision ", entry.revision));
    case Precondition::Kind::kPresent:
      if (entry.found) return absl::OkStatus();
      return MakeError(absl::StatusCode::kFailedPrecondition, Reason::kKeyNotFound,
                       "the key does not exist");
    case Precondition::Kind::kRevision:
      return CheckRevision(precondition.revision, entry);
  }
  return absl::InternalError("unknown precondition");
}

base::UnixMs DeadlineAfter(const Operation& operation, const Found& entry) {
  const bool keep = operation.deadline_rule == DeadlineRule::kKeepExisting && entry.found;
  return keep ? entry.deadline : operation.deadline;
}

absl::Status ComputeSum(const Operation& operation, const Found& entry, Evaluation* evaluation) {
  int64_t current = 0;
  if (entry.found) {
    const std::optional<int64_t> parsed = ParseInteger(entry.value);
    if (!parsed) {
      return MakeError(absl::StatusCode::kFailedPrecondition, Reason::kNotAnInteger,
                       absl::StrCat("the value of ", entry.value.size(),
                                    " bytes is not a 64-bit integer in decimal"));
    }
    current = *parsed;
  }
  if (__builtin_add_overflow(current, operation.delta, &evaluation->number)) {
    return MakeError(
        absl::StatusCode::kOutOfRange, Reason::kIntegerOverflow,
        absl::StrCat("adding ", operation.delta, " leaves the range of a 64-bit integer"));
  }
  char* const digits = evaluation->digits;
  const auto end =
      std::to_chars(digits, digits + sizeof(evaluation->digits), evaluation->number).ptr;
  evaluation->effect.head = absl::string_view(digits, static_cast<size_t>(end - digits));
  return absl::OkStatus();
}

absl::Status ComputeAppend(const Operation& operation, const Found& entry, const Limits& limits,
                           Effect* effect) {
  effect->head = entry.value;
  effect->tail = operation.value;
  if (effect->value_size() <= limits.max_value_bytes) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument, Reason::kValueTooLarge,
                   absl::StrCat("the value would be ", effect->value_size(), " bytes, at most ",
                                limits.max_value_bytes, " are allowed"));
}

}  // namespace

Evaluation::Evaluation(const Operation& operation, const Found& entry, const Limits& limits)
    : status(CheckPrecondition(operation.precondition, entry)) {
  if (!status.ok() || operation.kind == OperationKind::kGet) return;
  const bool erases =
      operation.kind == OperationKind::kDelete || operation.kind == OperationKind::kTake;
  if ((erases || operation.kind == OperationKind::kTouch) && !entry.found) return;
  effect.kind = erases ? Effect::Kind::kErase : Effect::Kind::kWrite;
  effect.deadline = DeadlineAfter(operation, entry);
  switch (operation.kind) {
    case OperationKind::kPut:
      effect.head = operation.value;
      break;
    case OperationKind::kAdd:
      status = ComputeSum(operation, entry, this);
      break;
    case OperationKind::kAppend:
      status = ComputeAppend(operation, entry, limits, &effect);
      break;
    case OperationKind::kTouch:
      effect.head = entry.value;
      break;
    default:
      break;
  }
}

OperationResult ResultOf(const Operation& operation, const Found& entry,
                         const Evaluation& evaluation, Revision revision) {
  OperationResult result;
  result.found = entry.found;
  if (operation.kind == OperationKind::kGet) {
    result.revision = entry.revision;
    result.deadline = entry.deadline;
    return result;
  }
  if (evaluation.effect.kind == Effect::Kind::kNothing) return result;
  result.revision = revision;
  if (evaluation.effect.kind == Effect::Kind::kErase) return result;
  result.deadline = evaluation.effect.deadline;
  result.number = evaluation.number;
  if (operation.kind == OperationKind::kAppend) result.size = evaluation.effect.value_size();
  return result;
}

std::optional<int64_t> ParseInteger(absl::string_view text) {
  int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  // from_chars takes "007" and "-0"; one number has one form here.
  const absl::string_view magnitude = text[0] == '-' ? text.substr(1) : text;
  if (magnitude[0] == '0' && text != "0") return std::nullopt;
  return value;
}

}  // namespace tarn::storage
