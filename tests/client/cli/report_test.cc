// How errors are reported.
#include "client/cli/report.h"

#include <string>

#include "tarn/error.h"
#include "tests/catch.h"
#include "tests/client/cli/terminal.h"

namespace tarn::cli {
namespace {

using absl::StatusCode;

TEST_CASE("an error has the exit code of what it means") {
  struct Case {
    absl::Status status;
    ExitCode read;
    ExitCode write;
  };
  const Case cases[] = {
      {absl::OkStatus(), ExitCode::kDone, ExitCode::kDone},
      {MakeError(StatusCode::kInvalidArgument, Reason::kKeyTooLarge, ""), ExitCode::kUsage,
       ExitCode::kUsage},
      {MakeError(StatusCode::kOutOfRange, Reason::kIntegerOverflow, ""), ExitCode::kUsage,
       ExitCode::kUsage},
      {MakeError(StatusCode::kAborted, Reason::kRevisionMismatch, ""), ExitCode::kLostRace,
       ExitCode::kLostRace},
      {MakeError(StatusCode::kFailedPrecondition, Reason::kNotAnInteger, ""), ExitCode::kLostRace,
       ExitCode::kLostRace},
      {MakeError(StatusCode::kFailedPrecondition, Reason::kNamespaceNotFound, ""),
       ExitCode::kNotFound, ExitCode::kNotFound},
      {MakeError(StatusCode::kFailedPrecondition, Reason::kCheckpointPinned, ""),
       ExitCode::kLostRace, ExitCode::kLostRace},
      {MakeError(StatusCode::kFailedPrecondition, Reason::kNewerFormat, ""), ExitCode::kNewerFormat,
       ExitCode::kNewerFormat},
      {MakeError(StatusCode::kNotFound, Reason::kJobNotFound, ""), ExitCode::kNotFound,
       ExitCode::kNotFound},
      {MakeError(StatusCode::kAlreadyExists, Reason::kCheckpointExists, ""), ExitCode::kLostRace,
       ExitCode::kLostRace},
      {MakeError(StatusCode::kDataLoss, Reason::kDataLoss, ""), ExitCode::kDamaged,
       ExitCode::kDamaged},
      {MakeError(StatusCode::kUnavailable, Reason::kNotReady, ""), ExitCode::kUnavailable,
       ExitCode::kUnavailable},
      {MakeError(StatusCode::kUnavailable, Reason::kNotConnected, ""), ExitCode::kUnavailable,
       ExitCode::kUnavailable},
      {absl::UnavailableError("reset"), ExitCode::kUnavailable, ExitCode::kOutcomeUnknown},
      {absl::DeadlineExceededError(""), ExitCode::kUnavailable, ExitCode::kOutcomeUnknown},
      {MakeError(StatusCode::kUnknown, Reason::kOutcomeUnknown, ""), ExitCode::kFailed,
       ExitCode::kOutcomeUnknown},
      {MakeError(StatusCode::kResourceExhausted, Reason::kQuotaExceeded, ""), ExitCode::kLimit,
       ExitCode::kLimit},
      {MakeError(StatusCode::kPermissionDenied, Reason::kPermissionDenied, ""), ExitCode::kDenied,
       ExitCode::kDenied},
      {absl::UnauthenticatedError(""), ExitCode::kDenied, ExitCode::kDenied},
      {MakeError(StatusCode::kInternal, Reason::kInternal, ""), ExitCode::kFailed,
       ExitCode::kFailed},
  };
  for (const Case& one : cases) {
    INFO(one.status.ToString());
    CHECK(ExitCodeOf(one.status, Effect::kReads) == one.read);
    CHECK(ExitCodeOf(one.status, Effect::kWrites) == one.write);
  }
}

TEST_CASE("an error says what failed, why, and what to do next") {
  Terminal t;
  t.store->FailNext("Put", MakeError(StatusCode::kUnavailable, Reason::kNotConnected, "no route"));
  const std::string err = t.Run({"put", "k", "v"}).err;
  CHECK(Says(err, "tarnctl: put: UNAVAILABLE, NOT_CONNECTED: no route\n"));
  CHECK(Says(err, "Is tarnd running there?"));
}

TEST_CASE("a write that may have been done is told from one that was not") {
  Terminal t;
  t.store->FailNext("Increment", absl::UnavailableError("reset"), testing::FaultTime::kAfter);
  const Outcome unknown = t.Run({"incr", "n"});
  CHECK(unknown.code == 7);
  CHECK(Says(unknown.err, "Read to find out"));
}

TEST_CASE("an error without particulars is reported too, on one line") {
  Terminal t;
  t.store->FailNext("Get", absl::InternalError("two\nlines"));
  CHECK(t.Run({"get", "k"}).err == "tarnctl: get: INTERNAL: two\\nlines\n");
  t.store->FailNext("Get", absl::DeadlineExceededError("late"));
  CHECK(Says(t.Run({"get", "k"}).err, "--timeout"));
}

}  // namespace
}  // namespace tarn::cli
