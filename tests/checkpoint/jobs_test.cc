#include "checkpoint/jobs.h"

#include <thread>

#include "tests/catch.h"
#include "tests/checkpoint/world.h"
#include "tests/support/status.h"

namespace tarn::checkpoint {
namespace {

using testing::Brief;
using testing::kStart;
using testing::Value;

struct World {
  base::ManualClock clock{kStart};
  JobRegistry jobs{{.max_ended = 3, .max_open = 4}, clock};

  Job Begin(JobKind kind = JobKind::kVerify) { return Value(jobs.Begin(kind, "something")); }
  JobInfo Get(JobId id) { return Value(jobs.Get(id)); }
  void EndOne(JobKind kind = JobKind::kVerify) { Begin(kind).End(std::string("done")); }
};

TEST_CASE("a job is queued, runs, and ends, and says when") {
  World world;
  Job job = world.Begin(JobKind::kRestore);
  JobInfo info = world.Get(job.id());
  CHECK(info.id == 1);
  CHECK(info.kind == JobKind::kRestore);
  CHECK(info.subject == "something");
  CHECK(info.state == JobState::kQueued);
  CHECK(info.create_time == kStart);
  CHECK(info.start_time == 0);
  world.clock.Advance(10);
  job.Start();
  info = world.Get(1);
  CHECK(info.state == JobState::kRunning);
  CHECK(info.start_time == kStart + 10);
  CHECK(info.end_time == 0);
  world.clock.Advance(10);
  std::move(job).End(std::string("result"));
  info = world.Get(1);
  CHECK(info.state == JobState::kSucceeded);
  CHECK(info.end_time == kStart + 20);
  CHECK(info.result == "result");
  CHECK(info.error.ok());
}

TEST_CASE("progress, rate and the time that is left are told while it runs") {
  World world;
  Job job = world.Begin();
  job.Start();
  CHECK_FALSE(world.Get(1).time_left);
  world.clock.Advance(2000);
  job.progress().entries = 500;
  job.progress().bytes = 64'000;
  job.progress().total_entries = 2000;
  job.progress().phase = "reading";
  JobInfo info = world.Get(1);
  CHECK(info.phase == "reading");
  CHECK(info.entries == 500);
  CHECK(info.entries_per_second == 250);
  CHECK(info.bytes_per_second == 32'000);
  CHECK(info.time_left == absl::Seconds(6));
  std::move(job).End(std::string());
  world.clock.Advance(100'000);
  info = world.Get(1);
  CHECK(info.entries_per_second == 250);
  CHECK_FALSE(info.time_left);
}

TEST_CASE("no time is told when nothing has come of it yet, or more than was expected") {
  World world;
  Job job = world.Begin();
  job.Start();
  world.clock.Advance(1000);
  job.progress().total_entries = 10;
  CHECK_FALSE(world.Get(1).time_left);
  job.progress().entries = 11;
  CHECK_FALSE(world.Get(1).time_left);
}

TEST_CASE("a job fails with its error, and is cancelled by what says so") {
  World world;
  world.Begin().End(absl::DataLossError("bad"));
  world.Begin().End(absl::CancelledError("enough"));
  CHECK(world.Get(1).state == JobState::kFailed);
  CHECK(world.Get(1).error.message() == "bad");
  CHECK(world.Get(2).state == JobState::kCancelled);
}

TEST_CASE("a job that is abandoned has failed") {
  World world;
  { const Job job = world.Begin(); }
  CHECK(world.Get(1).state == JobState::kFailed);
  CHECK(Brief(world.Get(1).error) == "INTERNAL INTERNAL");
}

TEST_CASE("a job that moves on is still one job") {
  World world;
  Job first = world.Begin();
  Job second = std::move(first);
  second.Start();
  CHECK(world.Get(1).state == JobState::kRunning);
}

TEST_CASE("a job that is of no interest is forgotten") {
  World world;
  world.Begin().Forget();
  CHECK(Brief(world.jobs.Get(1)) == "NOT_FOUND JOB_NOT_FOUND");
  CHECK(world.jobs.List().empty());
}

TEST_CASE("only so many ended jobs are remembered, the newest") {
  World world;
  Job open = world.Begin();
  for (int i = 0; i < 5; ++i) world.EndOne();
  std::vector<JobId> ids;
  for (const JobInfo& info : world.jobs.List()) ids.push_back(info.id);
  CHECK(ids == std::vector<JobId>{1, 4, 5, 6});
  CHECK(Brief(world.jobs.Get(2)) == "NOT_FOUND JOB_NOT_FOUND");
}

TEST_CASE("only so many jobs are open at a time") {
  World world;
  std::vector<Job> open;
  for (int i = 0; i < 4; ++i) open.push_back(world.Begin());
  CHECK(Brief(world.jobs.Begin(JobKind::kVerify, "x")) == "RESOURCE_EXHAUSTED QUEUE_FULL");
  open.pop_back();
  CHECK(Brief(world.jobs.Begin(JobKind::kVerify, "x")) == "OK");
}

TEST_CASE("cancelling tells the worker, and does no harm to a job that has ended") {
  World world;
  Job job = world.Begin();
  REQUIRE(world.jobs.Cancel(1).ok());
  CHECK(job.progress().cancel);
  CHECK(world.Get(1).state == JobState::kQueued);
  std::move(job).End(std::string());
  CHECK(world.jobs.Cancel(1).ok());
  CHECK(world.Get(1).state == JobState::kSucceeded);
  CHECK(Brief(world.jobs.Cancel(9)) == "NOT_FOUND JOB_NOT_FOUND");
}

TEST_CASE("whoever waits sees each change of state") {
  World world;
  Job job = world.Begin();
  const uint64_t queued = world.Get(1).version;
  CHECK(Value(world.jobs.Wait(1, 0, absl::InfiniteDuration())).version == queued);
  std::thread worker([&job] { job.Start(); });
  const JobInfo running = Value(world.jobs.Wait(1, queued, absl::InfiniteDuration()));
  worker.join();
  CHECK(running.state == JobState::kRunning);
  std::thread ender([&job] { std::move(job).End(std::string("x")); });
  CHECK(Value(world.jobs.WaitForEnd(1, absl::InfiniteDuration())).result == "x");
  ender.join();
}

TEST_CASE("waiting ends with its time, and with the job's being forgotten") {
  World world;
  Job job = world.Begin();
  const uint64_t version = world.Get(1).version;
  CHECK(Value(world.jobs.Wait(1, version, absl::ZeroDuration())).version == version);
  CHECK(Value(world.jobs.WaitForEnd(1, absl::ZeroDuration())).state == JobState::kQueued);
  CHECK(Brief(world.jobs.Wait(2, 0, absl::InfiniteDuration())) == "NOT_FOUND JOB_NOT_FOUND");
  std::thread forgetter([&job] { std::move(job).Forget(); });
  CHECK(Brief(world.jobs.WaitForEnd(1, absl::InfiniteDuration())) == "NOT_FOUND JOB_NOT_FOUND");
  forgetter.join();
}

TEST_CASE("kinds and states have names") {
  CHECK(JobKindName(JobKind::kCheckpoint) == "checkpoint");
  CHECK(JobKindName(JobKind::kVerify) == "verify");
  CHECK(JobKindName(JobKind::kRestore) == "restore");
  CHECK(JobKindName(JobKind::kImport) == "import");
  CHECK(JobKindName(JobKind::kExport) == "export");
  CHECK(JobKindName(JobKind::kDiff) == "diff");
  CHECK(JobStateName(JobState::kQueued) == "queued");
  CHECK(JobStateName(JobState::kRunning) == "running");
  CHECK(JobStateName(JobState::kSucceeded) == "succeeded");
  CHECK(JobStateName(JobState::kFailed) == "failed");
  CHECK(JobStateName(JobState::kCancelled) == "cancelled");
}

}  // namespace
}  // namespace tarn::checkpoint
