#include "client/cli/report.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/cli/text.h"
#include "tarn/error.h"

namespace tarn::cli {
namespace {

using absl::StatusCode;

struct Advice {
  Reason reason;
  std::string_view text;
};

constexpr Advice kAdvice[] = {
    {Reason::kRevisionMismatch,
     "Somebody changed the entry first. Read it again (tarnctl get -w json KEY) and decide anew."},
    {Reason::kAlreadyExists, "The key has an entry already. Leave --if-absent out to replace it."},
    {Reason::kKeyNotFound, "The key has no entry. Leave --if-present out to create it."},
    {Reason::kNotAnInteger,
     "The value is no decimal 64-bit integer. Look at it with get, or replace it with put."},
    {Reason::kIntegerOverflow, "The sum would leave the range of 64-bit integers."},
    {Reason::kNamespaceNotFound,
     "See the names with: tarnctl ns list. Create it with: tarnctl ns create NAME."},
    {Reason::kNamespaceExists, "Change it with: tarnctl ns update NAME."},
    {Reason::kNamespaceNotEmpty, "Remove its entries too with: tarnctl ns delete NAME --force."},
    {Reason::kInvalidNamespaceName,
     "A name has 1 to 63 characters: a-z, 0-9, and from the second on also . _ -"},
    {Reason::kKeyTooLarge, "See the limits with: tarnctl server info."},
    {Reason::kValueTooLarge, "See the limits with: tarnctl server info. Split the value."},
    {Reason::kBatchTooLarge, "See the limits with: tarnctl server info. Split the batch."},
    {Reason::kInvalidTtl, "A lifetime is positive, as in 500ms, 5s, 2h, 7d, or the word never."},
    {Reason::kInvalidRange, "Give either --prefix, or --start and --end in this order."},
    {Reason::kSnapshotExpired, "The server did not keep the view for so long. Begin anew."},
    {Reason::kQuotaExceeded,
     "Remove entries, or raise the quota with: tarnctl ns update. Reading and deleting work."},
    {Reason::kMemoryLimit, "Remove entries, or raise the daemon's --memory-limit."},
    {Reason::kDiskFull, "Free space under the daemon's data directory. Reading works."},
    {Reason::kNotReady, "The daemon is starting. Wait: tarnctl server health."},
    {Reason::kNotOwner,
     "This daemon stands by. Ask the one that owns the store; if that one is gone for good, this "
     "one "
     "takes over by itself, or at once when it is started with --take-over."},
    {Reason::kDraining, "The daemon is shutting down. Repeat when it is back."},
    {Reason::kNotConnected,
     "Is tarnd running there? See --endpoint and TARN_ENDPOINT; with TLS also --tls-ca."},
    {Reason::kPermissionDenied,
     "Such changes are for clients on the daemon's machine, and for certificates on its list."},
    {Reason::kDataLoss,
     "Stored bytes are damaged. An intact checkpoint brings them back: tarnctl checkpoint list."},
    {Reason::kCheckpointsDisabled, "Start the daemon with --checkpoint-dir."},
    {Reason::kInvalidCheckpointId,
     "An id is like 00000007-0000000042; see: tarnctl checkpoint list."},
    {Reason::kCheckpointNotFound, "See what there is with: tarnctl checkpoint list."},
    {Reason::kCheckpointExists,
     "Compare them: tarnctl inspect FILE, tarnctl checkpoint show ID. Delete the other one first."},
    {Reason::kCheckpointPinned, "Take the pin off first: tarnctl checkpoint unpin ID."},
    {Reason::kLastCheckpoint, "Create another one first: tarnctl checkpoint create --force."},
    {Reason::kInvalidPin, "A reason is one line of text of at most 256 bytes."},
    {Reason::kOtherStore,
     "If that is what you want: tarnctl checkpoint import --allow-other-store."},
    {Reason::kLaterIncarnation,
     "It was made by a daemon that ran later than this one's state. See: tarnctl server info."},
    {Reason::kNewerFormat, "Upgrade: a newer version wrote it."},
    {Reason::kRestoreRunning,
     "Wait for it, or end it: tarnctl job list, tarnctl job watch ID, tarnctl job cancel ID."},
    {Reason::kJobNotFound,
     "See what there is with: tarnctl job list. A restarted daemon knows none of the earlier "
     "ones."},
    {Reason::kLockHeldByAnother,
     "See who has it: tarnctl lock get NAME. Wait for it with: tarnctl lock NAME --wait 1m -- "
     "COMMAND."},
    {Reason::kFenced, "The lock has gone to another, or the group has a later epoch."},
    {Reason::kEngineError, "See the daemon's log."},
    {Reason::kInternal, "A defect of tarnd. See its log, and report it."},
};

std::string_view AdviceFor(const absl::Status& status, Effect effect) {
  const Reason reason = ReasonOf(status);
  for (const Advice& advice : kAdvice) {
    if (advice.reason == reason) return advice.text;
  }
  if (effect == Effect::kWrites && IsOutcomeUnknown(status)) {
    return "Read to find out whether it was done. Repeating it is safe for put, del and touch.";
  }
  if (status.code() == StatusCode::kDeadlineExceeded) return "Allow more time with --timeout.";
  if (IsTransient(status)) return "Repeat it in a moment.";
  return {};
}

ExitCode CodeOfPrecondition(Reason reason) {
  if (reason == Reason::kNamespaceNotFound) return ExitCode::kNotFound;
  return reason == Reason::kNewerFormat ? ExitCode::kNewerFormat : ExitCode::kLostRace;
}

}  // namespace

absl::Status Interruption() { return absl::CancelledError("interrupted by Ctrl-C"); }

bool IsInterruption(const absl::Status& status) { return status == Interruption(); }

ExitCode ExitCodeOf(const absl::Status& status, Effect effect) {
  if (effect == Effect::kWrites && IsOutcomeUnknown(status)) return ExitCode::kOutcomeUnknown;
  switch (status.code()) {
    case StatusCode::kOk:
      return ExitCode::kDone;
    case StatusCode::kInvalidArgument:
    case StatusCode::kOutOfRange:
      return ExitCode::kUsage;
    case StatusCode::kAborted:
      return ExitCode::kLostRace;
    case StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case StatusCode::kAlreadyExists:
      return ExitCode::kLostRace;
    case StatusCode::kFailedPrecondition:
      return CodeOfPrecondition(ReasonOf(status));
    case StatusCode::kDataLoss:
      return ExitCode::kDamaged;
    case StatusCode::kUnavailable:
    case StatusCode::kDeadlineExceeded:
      return ExitCode::kUnavailable;
    case StatusCode::kResourceExhausted:
      return ExitCode::kLimit;
    case StatusCode::kPermissionDenied:
    case StatusCode::kUnauthenticated:
      return ExitCode::kDenied;
    default:
      return ExitCode::kFailed;
  }
}

ExitCode Report(const Context& context, std::string_view what, const absl::Status& status,
                Effect effect) {
  const ErrorDetails details = DetailsOf(status);
  std::ostream& err = context.env.err;
  err << "tarnctl: " << what << ": " << absl::StatusCodeToString(status.code());
  if (!details.reason_name.empty()) err << ", " << details.reason_name;
  err << ": " << Escape(std::string(status.message())) << "\n";
  if (details.retry_after.has_value()) {
    err << "  The server asks to wait " << FormatDuration(*details.retry_after) << ".\n";
  }
  if (const std::string_view advice = AdviceFor(status, effect); !advice.empty()) {
    err << "  " << advice << "\n";
  }
  return ExitCodeOf(status, effect);
}

}  // namespace tarn::cli
