#include "storage/redis/outcome.h"

#include <array>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "storage/redis/key_slot.h"

namespace tarn::storage::redis {
namespace {

using absl::StatusCode;
using base::Reason;

// Errors that Redis gives before it executes anything.
struct Refusal {
  absl::string_view start;
  Event event;
  Action action;
  StatusCode code;
  Reason reason;
};

constexpr std::array kRefusals = {
    Refusal{"MOVED ", Event::kMoved, Action::kFollow, StatusCode::kUnavailable,
            Reason::kEngineUnavailable},
    Refusal{"ASK ", Event::kAsk, Action::kFollow, StatusCode::kUnavailable,
            Reason::kEngineUnavailable},
    Refusal{"TRYAGAIN ", Event::kTryAgain, Action::kRetry, StatusCode::kUnavailable,
            Reason::kEngineUnavailable},
    Refusal{"CLUSTERDOWN ", Event::kClusterDown, Action::kRetry, StatusCode::kUnavailable,
            Reason::kEngineUnavailable},
    Refusal{"MASTERDOWN ", Event::kMasterDown, Action::kRetry, StatusCode::kUnavailable,
            Reason::kEngineUnavailable},
    Refusal{"LOADING ", Event::kLoading, Action::kRetry, StatusCode::kUnavailable,
            Reason::kEngineUnavailable},
    Refusal{"BUSY ", Event::kBusy, Action::kRetry, StatusCode::kUnavailable,
            Reason::kEngineUnavailable},
    Refusal{"ERR max number of clients ", Event::kMaxClients, Action::kRetry,
            StatusCode::kUnavailable, Reason::kEngineUnavailable},
    Refusal{"READONLY ", Event::kReadOnly, Action::kDropNode, StatusCode::kUnavailable,
            Reason::kEngineUnavailable},
    Refusal{"NOREPLICAS ", Event::kNoReplicas, Action::kReturn, StatusCode::kUnavailable,
            Reason::kEngineUnavailable},
    Refusal{"MISCONF ", Event::kMisconfigured, Action::kReturn, StatusCode::kUnavailable,
            Reason::kEngineUnavailable},
    Refusal{"OOM ", Event::kOutOfMemory, Action::kReturn, StatusCode::kResourceExhausted,
            Reason::kMemoryLimit},
    Refusal{"NOSCRIPT ", Event::kNoScript, Action::kLoadScript, StatusCode::kInternal,
            Reason::kEngineError},
    Refusal{"CROSSSLOT ", Event::kCrossSlot, Action::kReturn, StatusCode::kFailedPrecondition,
            Reason::kCrossSlot},
    Refusal{"NOAUTH ", Event::kNoAuth, Action::kNotReady, StatusCode::kInternal,
            Reason::kEngineError},
    Refusal{"WRONGPASS ", Event::kWrongPassword, Action::kNotReady, StatusCode::kInternal,
            Reason::kEngineError},
    Refusal{"NOPERM ", Event::kNoPermission, Action::kNotReady, StatusCode::kInternal,
            Reason::kEngineError},
};

// Named apart because more than one text stands for it.
constexpr std::array<absl::string_view, 2> kScriptMarks = {"user_script:", " script: "};

bool RaisedInScript(absl::string_view error) {
  for (const absl::string_view mark : kScriptMarks) {
    if (absl::StrContains(error, mark)) return true;
  }
  return false;
}

// A script's write is refused for one of these only as long as the script has written nothing. The
// others, a missing permission say, can meet it at any command.
bool MeansNotDoneInScript(Event event) {
  return event == Event::kOutOfMemory || event == Event::kReadOnly || event == Event::kNoReplicas ||
         event == Event::kMisconfigured;
}

Outcome Unknown(Event event, Action action) {
  return {event, Executed::kUnknown, action, StatusCode::kUnknown, Reason::kOutcomeUnknown};
}

absl::string_view Verdict(Executed executed) {
  switch (executed) {
    case Executed::kYes:
      return "done";
    case Executed::kNo:
      return "not done";
    case Executed::kUnknown:
      return "it is not known whether it was done";
  }
  return "";
}

}  // namespace

Outcome ClassifyError(absl::string_view error, CommandKind kind) {
  const bool in_script = RaisedInScript(error);
  for (const Refusal& refusal : kRefusals) {
    if (!absl::StartsWith(error, refusal.start)) continue;
    if (in_script && !MeansNotDoneInScript(refusal.event)) break;
    return {refusal.event, Executed::kNo, refusal.action, refusal.code, refusal.reason};
  }
  if (!in_script) return ClassifyUnexpected(kind);
  // The connection is sound: only the script is not.
  if (kind == CommandKind::kWrite) return Unknown(Event::kScriptError, Action::kReturn);
  return {Event::kScriptError, Executed::kNo, Action::kReturn, StatusCode::kInternal,
          Reason::kEngineError};
}

Outcome ClassifyLoss(Sent sent, CommandKind kind) {
  if (sent == Sent::kSomething && kind == CommandKind::kWrite) {
    return Unknown(Event::kLostSent, Action::kSettle);
  }
  const bool unsent = sent == Sent::kNothing;
  return {unsent ? Event::kLostUnsent : Event::kLostSent, Executed::kNo,
          unsent ? Action::kRetry : Action::kAbortAndRetry, StatusCode::kUnavailable,
          Reason::kEngineUnavailable};
}

Outcome ClassifyUnexpected(CommandKind kind) {
  if (kind == CommandKind::kWrite) return Unknown(Event::kUnexpected, Action::kSettle);
  return {Event::kUnexpected, Executed::kNo, Action::kAbortAndRetry, StatusCode::kInternal,
          Reason::kEngineError};
}

Outcome ClassifyQueueFull() {
  return {Event::kQueueFull, Executed::kNo, Action::kReturn, StatusCode::kResourceExhausted,
          Reason::kQueueFull};
}

Outcome ClassifyWait(int64_t asked, int64_t acknowledged) {
  if (acknowledged >= asked) return {};
  return {Event::kNotReplicated, Executed::kYes, Action::kReturn, StatusCode::kUnknown,
          Reason::kNotReplicated};
}

absl::Status ToStatus(const Outcome& outcome, absl::string_view node) {
  if (outcome.code == StatusCode::kOk) return absl::OkStatus();
  return base::MakeError(outcome.code, outcome.reason,
                         absl::StrCat("Redis at ", node, ": ", EventName(outcome.event), ": ",
                                      Verdict(outcome.executed)));
}

std::optional<Redirect> ParseRedirect(absl::string_view error) {
  const std::vector<absl::string_view> words = absl::StrSplit(error, ' ');
  if (words.size() != 3 || (words[0] != "MOVED" && words[0] != "ASK")) return std::nullopt;
  // The last colon: addresses of IPv6 have others.
  const size_t colon = words[2].rfind(':');
  uint32_t slot = 0;
  uint32_t port = 0;
  if (colon == words[2].npos || !absl::SimpleAtoi(words[1], &slot) || slot >= kSlots ||
      !absl::SimpleAtoi(words[2].substr(colon + 1), &port) || port == 0 || port > 65535) {
    return std::nullopt;
  }
  return Redirect{static_cast<uint16_t>(slot),
                  {std::string(words[2].substr(0, colon)), static_cast<uint16_t>(port)}};
}

}  // namespace tarn::storage::redis
