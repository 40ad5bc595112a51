#include "storage/redis/outcome.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::storage::redis {
namespace {

using absl::StatusCode;
using base::Reason;

struct Row {
  std::string error;
  Event event;
  Executed read;
  Executed write;
  Action read_action;
  Action write_action;
  std::string read_status;
  std::string write_status;
};

// A reply that says the same whatever was asked.
Row Same(const std::string& error, Event event, Action action, const std::string& status) {
  return {error, event, Executed::kNo, Executed::kNo, action, action, status, status};
}

const std::string kAway = "UNAVAILABLE ENGINE_UNAVAILABLE";
const std::string kBroken = "INTERNAL ENGINE_ERROR";
const std::string kNobodyKnows = "UNKNOWN OUTCOME_UNKNOWN";

Row ScriptError(const std::string& error) {
  return {error,           Event::kScriptError, Executed::kNo, Executed::kUnknown,
          Action::kReturn, Action::kReturn,     kBroken,       kNobodyKnows};
}

Row Unexpected(const std::string& error) {
  return {error,
          Event::kUnexpected,
          Executed::kNo,
          Executed::kUnknown,
          Action::kAbortAndRetry,
          Action::kSettle,
          kBroken,
          kNobodyKnows};
}

std::vector<Row> Rows() {
  return {
      Same("MOVED 3999 127.0.0.1:6381", Event::kMoved, Action::kFollow, kAway),
      Same("ASK 3999 127.0.0.1:6381", Event::kAsk, Action::kFollow, kAway),
      Same("TRYAGAIN Multiple keys request during rehashing of slot", Event::kTryAgain,
           Action::kRetry, kAway),
      Same("CLUSTERDOWN Hash slot not served", Event::kClusterDown, Action::kRetry, kAway),
      Same("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
           Event::kMasterDown, Action::kRetry, kAway),
      Same("LOADING Redis is loading the dataset in memory", Event::kLoading, Action::kRetry,
           kAway),
      Same("BUSY Redis is busy running a script. You can only call SCRIPT KILL.", Event::kBusy,
           Action::kRetry, kAway),
      Same("ERR max number of clients reached", Event::kMaxClients, Action::kRetry, kAway),
      Same("READONLY You can't write against a read only replica.", Event::kReadOnly,
           Action::kDropNode, kAway),
      Same("NOREPLICAS Not enough good replicas to write.", Event::kNoReplicas, Action::kReturn,
           kAway),
      Same("MISCONF Redis is configured to save RDB snapshots", Event::kMisconfigured,
           Action::kReturn, kAway),
      Same("OOM command not allowed when used memory > 'maxmemory'.", Event::kOutOfMemory,
           Action::kReturn, "RESOURCE_EXHAUSTED MEMORY_LIMIT"),
      Same("NOSCRIPT No matching script. Please use EVAL.", Event::kNoScript, Action::kLoadScript,
           kBroken),
      Same("CROSSSLOT Keys in request don't hash to the same slot", Event::kCrossSlot,
           Action::kReturn, "FAILED_PRECONDITION CROSS_SLOT"),
      Same("NOAUTH Authentication required.", Event::kNoAuth, Action::kNotReady, kBroken),
      Same("WRONGPASS invalid username-password pair or user is disabled.", Event::kWrongPassword,
           Action::kNotReady, kBroken),
      Same("NOPERM this user has no permissions to run the 'set' command", Event::kNoPermission,
           Action::kNotReady, kBroken),
      // Inside a script, only what Redis refuses before the first write is not done.
      Same("OOM command not allowed when used memory > 'maxmemory'. script: 5ac, on "
           "@user_script:1.",
           Event::kOutOfMemory, Action::kReturn, "RESOURCE_EXHAUSTED MEMORY_LIMIT"),
      Same("READONLY You can't write against a read only replica. script: 5ac, on @user_script:1.",
           Event::kReadOnly, Action::kDropNode, kAway),
      Same("NOREPLICAS Not enough good replicas to write. script: 5ac, on @user_script:1.",
           Event::kNoReplicas, Action::kReturn, kAway),
      Same("MISCONF Errors writing to the AOF file: x script: 5ac, on @user_script:1.",
           Event::kMisconfigured, Action::kReturn, kAway),
      ScriptError("WRONGTYPE Operation against a key holding the wrong kind of value script: 5ac, "
                  "on @user_script:1."),
      ScriptError("ERR user_script:1: attempt to index a nil value script: 5ac, on "
                  "@user_script:1."),
      ScriptError("ERR Error running script (call to f_5ac): @user_script:1: WRONGTYPE"),
      ScriptError("NOPERM The user executing the script can't run this command script: 5ac, on "
                  "@user_script:1."),
      ScriptError("CROSSSLOT Keys in request script: 5ac, on @user_script:1."),
      Unexpected("WRONGTYPE Operation against a key holding the wrong kind of value"),
      Unexpected("ERR unknown command 'x'"),
      Unexpected(""),
      Unexpected("MOVED"),
      Unexpected("OOMPH"),
  };
}

TEST_CASE("every error of Redis has its outcome, code, reason and action") {
  for (const Row& row : Rows()) {
    INFO(row.error);
    const Outcome read = ClassifyError(row.error, CommandKind::kRead);
    const Outcome write = ClassifyError(row.error, CommandKind::kWrite);
    CHECK(read.event == row.event);
    CHECK(write.event == row.event);
    CHECK(read.executed == row.read);
    CHECK(write.executed == row.write);
    CHECK(read.action == row.read_action);
    CHECK(write.action == row.write_action);
    CHECK(testing::Brief(ToStatus(read, "n")) == row.read_status);
    CHECK(testing::Brief(ToStatus(write, "n")) == row.write_status);
  }
}

TEST_CASE("what was never handed to the socket was not done") {
  const Outcome wanted = {Event::kLostUnsent, Executed::kNo, Action::kRetry,
                          StatusCode::kUnavailable, Reason::kEngineUnavailable};
  CHECK(ClassifyLoss(Sent::kNothing, CommandKind::kRead) == wanted);
  CHECK(ClassifyLoss(Sent::kNothing, CommandKind::kWrite) == wanted);
}

TEST_CASE("a write of which one byte was handed to the socket may have been done") {
  CHECK(ClassifyLoss(Sent::kSomething, CommandKind::kWrite) ==
        Outcome{Event::kLostSent, Executed::kUnknown, Action::kSettle, StatusCode::kUnknown,
                Reason::kOutcomeUnknown});
}

TEST_CASE("a read whose reply was lost is repeated") {
  CHECK(ClassifyLoss(Sent::kSomething, CommandKind::kRead) ==
        Outcome{Event::kLostSent, Executed::kNo, Action::kAbortAndRetry, StatusCode::kUnavailable,
                Reason::kEngineUnavailable});
}

TEST_CASE("a reply that makes no sense leaves a write unknown and ends the connection") {
  CHECK(ClassifyUnexpected(CommandKind::kWrite) == Outcome{Event::kUnexpected, Executed::kUnknown,
                                                           Action::kSettle, StatusCode::kUnknown,
                                                           Reason::kOutcomeUnknown});
  CHECK(ClassifyUnexpected(CommandKind::kRead).code == StatusCode::kInternal);
}

TEST_CASE("a request for which the queue has no room was not done") {
  CHECK(ClassifyQueueFull().executed == Executed::kNo);
  CHECK(testing::Brief(ToStatus(ClassifyQueueFull(), "n")) == "RESOURCE_EXHAUSTED QUEUE_FULL");
}

TEST_CASE("a write that too few replicas have is done and still an error") {
  const Outcome outcome = ClassifyWait(2, 1);
  CHECK(outcome.event == Event::kNotReplicated);
  CHECK(outcome.executed == Executed::kYes);
  CHECK(testing::Brief(ToStatus(outcome, "n")) == "UNKNOWN NOT_REPLICATED");
  CHECK(ClassifyWait(2, 2) == Outcome{});
  CHECK(ClassifyWait(2, 3) == Outcome{});
  CHECK(ClassifyWait(0, 0) == Outcome{});
}

TEST_CASE("an error to the caller names the node and never what Redis said") {
  const Outcome outcome =
      ClassifyError("ERR with args beginning with: 'secret'", CommandKind::kWrite);
  const absl::Status status = ToStatus(outcome, "10.0.0.1:6379");
  CHECK(status.message() ==
        "Redis at 10.0.0.1:6379: unexpected reply: it is not known whether it was done");
  CHECK(ToStatus(Outcome{}, "n").ok());
}

TEST_CASE("every event has a name of its own") {
  std::set<std::string> names;
  const auto count = static_cast<int>(Event::kUnexpected) + 1;
  for (int event = 0; event < count; ++event) {
    names.insert(std::string(EventName(static_cast<Event>(event))));
  }
  CHECK(names.size() == static_cast<size_t>(count));
  CHECK(names.count("") == 0);
}

TEST_CASE("a redirect names slot and node") {
  CHECK(ParseRedirect("MOVED 3999 127.0.0.1:6381") == Redirect{3999, {"127.0.0.1", 6381}});
  CHECK(ParseRedirect("ASK 0 ::1:7000") == Redirect{0, {"::1", 7000}});
  CHECK(ParseRedirect("MOVED 16383 :7000") == Redirect{16383, {"", 7000}});
  for (const std::string error :
       {"", "MOVED", "MOVED 1", "MOVED 1 h", "MOVED 1 h:", "MOVED 1 h:0", "MOVED 1 h:65536",
        "MOVED 16384 h:1", "MOVED -1 h:1", "MOVED x h:1", "MOVED 1 h:1 more", "GONE 1 h:1"}) {
    INFO(error);
    CHECK(!ParseRedirect(error));
  }
}

}  // namespace
}  // namespace tarn::storage::redis
