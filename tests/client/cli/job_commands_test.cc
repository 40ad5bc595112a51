// Jobs, and waiting for them.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/client/cli/checkpoint_world.h"

namespace tarn::cli {
namespace {

using absl::StatusCode;

TEST_CASE("jobs are listed with what they do and how they stand") {
  CheckpointTerminal t;
  t.work->shown = {
      {.id = 1, .kind = JobKind::kRestore, .subject = "c-1", .state = JobState::kQueued},
      {.id = 2,
       .kind = JobKind::kVerify,
       .subject = "c-2",
       .state = JobState::kFailed,
       .error = MakeError(StatusCode::kDataLoss, Reason::kDataLoss, "rotten")}};
  CHECK(t.Run({"job", "list"}).out == "1\trestore\tc-1\tqueued\n2\tverify\tc-2\tfailed\n");
  CHECK(Says(t.Run({"job", "list", "-w", "table"}).out, "DATA_LOSS, DATA_LOSS: rotten"));
  CHECK(Says(t.Run({"job", "list", "-w", "json"}).out, R"("state":"failed")"));
}

TEST_CASE("a job is shown whole") {
  CheckpointTerminal t;
  t.work->shown = {{.id = 7,
                    .phase = "loading",
                    .entries_per_second = 12.9,
                    .time_left = std::chrono::milliseconds(3000),
                    .start_time = Timestamp(std::chrono::seconds(1))}};
  const std::string out = t.Run({"job", "show", "7"}).out;
  CHECK(Says(out, "phase:"));
  CHECK(Says(out, "entries_per_second: 12\n"));
  CHECK(Says(out, "3s"));
  CHECK(Says(out, "1970-01-01T00:00:01.000Z"));
  CHECK(t.Run({"job", "show", "0"}).code == 2);
  CHECK(t.Run({"job", "show"}).code == 2);
}

TEST_CASE("a watched job ends with its result") {
  CheckpointTerminal t;
  const Outcome done = t.Run({"job", "watch", "7"});
  CHECK(done.code == 0);
  CHECK(done.out == "c-1\n");
  CHECK(done.err.empty());
  CHECK(t.work->watched.id == 7);
  CHECK_FALSE(t.work->watched.timeout.has_value());
  CHECK(Says(t.Run({"job", "watch", "7", "-w", "table"}).out, "succeeded"));
  const std::string json = t.Run({"job", "watch", "7", "-w", "json"}).out;
  CHECK(Says(json, R"("state":"running")"));
  CHECK(Says(json, R"("state":"succeeded")"));
}

TEST_CASE("a job that fails is reported like a call that fails") {
  CheckpointTerminal t;
  t.work->shown = {{.id = 7,
                    .state = JobState::kFailed,
                    .error = MakeError(StatusCode::kDataLoss, Reason::kDataLoss, "at byte 5")}};
  const Outcome failed = t.Run({"job", "watch", "7"});
  CHECK(failed.code == 5);
  CHECK(failed.out.empty());
  CHECK(Says(failed.err, "tarnctl: job watch: job 7: DATA_LOSS, DATA_LOSS: at byte 5"));
}

TEST_CASE("a job's failure leaves nothing unknown, unless it says so") {
  CheckpointTerminal t;
  t.work->shown = {{.id = 7, .state = JobState::kFailed, .error = absl::UnknownError("odd")}};
  CHECK(t.Run({"job", "watch", "7"}).code == 1);
  t.work->shown[0].error = MakeError(StatusCode::kUnknown, Reason::kOutcomeUnknown, "half");
  CHECK(t.Run({"job", "watch", "7"}).code == 7);
  t.work->shown[0].error = absl::OkStatus();
  CHECK(t.Run({"job", "watch", "7"}).code == 1);
}

TEST_CASE("a cancelled job is no success") {
  CheckpointTerminal t;
  t.work->shown = {{.id = 7, .state = JobState::kCancelled}};
  const Outcome cancelled = t.Run({"job", "watch", "7"});
  CHECK(cancelled.code == 1);
  CHECK(Says(cancelled.err, "cancelled"));
}

TEST_CASE("Ctrl-C ends the waiting and not the job, and says so") {
  CheckpointTerminal t;
  t.questions_before_interrupt = 1;
  const Outcome ended = t.Run({"job", "watch", "7"});
  CHECK(ended.code == 130);
  CHECK(Says(ended.err, "job 7 goes on"));
  CHECK(Says(ended.err, "tarnctl job watch 7"));
  CHECK(Says(ended.err, "tarnctl job cancel 7"));
}

TEST_CASE("a job that cannot be watched any more may go on; one that is gone does not") {
  CheckpointTerminal t;
  t.work->shown = {CheckpointTerminal::Running()};
  t.work->watch_end = absl::UnavailableError("reset");
  const Outcome lost = t.Run({"job", "watch", "7"});
  CHECK(lost.code == 6);
  CHECK(Says(lost.err, "job 7 goes on"));
  t.work->watch_end = MakeError(StatusCode::kNotFound, Reason::kJobNotFound, "none");
  const Outcome gone = t.Run({"job", "watch", "7"});
  CHECK(gone.code == 4);
  CHECK_FALSE(Says(gone.err, "goes on"));
}

TEST_CASE("waiting has an end if it is given one") {
  CheckpointTerminal t;
  t.Run({"--timeout", "5s", "job", "watch", "7"});
  CHECK(t.work->watched.timeout == std::chrono::seconds(5));
}

TEST_CASE("progress shows the phase, on a terminal and where it is wanted") {
  struct Slow : FakeJobs {
    explicit Slow(CheckpointTerminal& terminal) : terminal_(terminal) {}
    std::unique_ptr<JobWatchSource> WatchJob(WatchJobParams params) override {
      terminal_.now += std::chrono::seconds(2);
      return FakeJobs::WatchJob(params);
    }
    CheckpointTerminal& terminal_;
  };
  CheckpointTerminal t;
  const auto slow = std::make_shared<Slow>(t);
  slow->shown = t.work->shown;
  t.jobs = slow;
  t.err_kind = Stream::kTerminal;
  const std::string shown = t.Run({"job", "watch", "7"}).err;
  CHECK(Says(shown, "job watch: writing [##########          ] 50%  5 entries"));
  CHECK(t.Run({"job", "watch", "7", "--quiet"}).err.empty());
  t.err_kind = Stream::kFile;
  CHECK(t.Run({"job", "watch", "7"}).err.empty());
}

TEST_CASE("a job is cancelled by its number") {
  CheckpointTerminal t;
  t.work->shown = {
      {.id = 9, .kind = JobKind::kVerify, .subject = "c", .state = JobState::kCancelled}};
  CHECK(t.Run({"job", "cancel", "9"}).out == "9\tverify\tc\tcancelled\n");
  CHECK(t.work->cancelled == 9);
}

TEST_CASE("every command about jobs passes its error on") {
  CheckpointTerminal t;
  t.work->failure = MakeError(StatusCode::kNotFound, Reason::kJobNotFound, "no");
  t.work->shown = {};
  t.work->watch_end = t.work->failure;
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"job", "list"}, {"job", "show", "1"}, {"job", "watch", "1"}, {"job", "cancel", "1"}}) {
    const Outcome failed = t.Run(arguments);
    CHECK(failed.code == 4);
    CHECK(failed.out.empty());
    CHECK(Says(failed.err, "JOB_NOT_FOUND"));
    CHECK(Says(failed.err, "tarnctl job list"));
  }
}

}  // namespace
}  // namespace tarn::cli
