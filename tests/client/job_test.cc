// Jobs of a server that follows a script.
#include "tarn/job.h"

#include <string>
#include <vector>

#include "client/src/grpc_job_connection.h"
#include "tests/catch.h"
#include "tests/client/fixture.h"

namespace tarn::testing {
namespace {

using grpc::StatusCode;

JobClient MakeJobs(Fixture& f) {
  return JobClient(std::make_shared<internal::GrpcJobConnection>(*internal::MakeChannel(f.options),
                                                                 f.options, f.fake.world()));
}

v1::Job JobAt(v1::JobState state, int64_t created_at = 1) {
  v1::Job job;
  job.set_id(7);
  job.set_state(state);
  job.mutable_create_time()->set_seconds(created_at);
  return job;
}

v1::WatchJobResponse Seen(const v1::Job& job) {
  v1::WatchJobResponse response;
  *response.mutable_job() = job;
  return response;
}

TEST_CASE("a job arrives whole") {
  Fixture f;
  v1::GetJobResponse response;
  v1::Job& job = *response.mutable_job();
  job.set_id(7);
  job.set_kind(v1::JOB_KIND_RESTORE);
  job.set_subject("00000001-0000000002");
  job.set_state(v1::JOB_STATE_FAILED);
  job.set_phase("loading");
  job.set_entry_count(1);
  job.set_total_entry_count(2);
  job.set_size_bytes(3);
  job.set_entries_per_second(4.5);
  job.set_bytes_per_second(5.5);
  job.mutable_time_left()->set_seconds(6);
  job.set_result("r");
  *job.mutable_error() = TarnErrorProto(StatusCode::DATA_LOSS, "DATA_LOSS");
  job.mutable_create_time()->set_seconds(8);
  job.mutable_start_time()->set_seconds(9);
  job.mutable_end_time()->set_seconds(10);
  f.server.get_job.ThenAnswer(response);

  const auto got = MakeJobs(f).Get(7);
  REQUIRE(got.ok());
  CHECK(f.server.get_job.requests().at(0).id() == 7);
  CHECK(got->id == 7);
  CHECK(got->kind == JobKind::kRestore);
  CHECK(got->subject == "00000001-0000000002");
  CHECK(got->state == JobState::kFailed);
  CHECK(got->ended());
  CHECK(got->phase == "loading");
  CHECK(got->entry_count == 1);
  CHECK(got->total_entry_count == 2);
  CHECK(got->size_bytes == 3);
  CHECK(got->entries_per_second == 4.5);
  CHECK(got->bytes_per_second == 5.5);
  CHECK(got->time_left == seconds(6));
  CHECK(got->result == "r");
  CHECK(got->error.code() == absl::StatusCode::kDataLoss);
  CHECK(ReasonOf(got->error) == Reason::kDataLoss);
  CHECK(got->create_time == Timestamp(seconds(8)));
  CHECK(got->start_time == Timestamp(seconds(9)));
  CHECK(got->end_time == Timestamp(seconds(10)));
}

TEST_CASE("kinds and states of jobs that are not known yet are said to be so") {
  const std::pair<v1::JobKind, JobKind> kinds[] = {
      {v1::JOB_KIND_CHECKPOINT, JobKind::kCheckpoint},
      {v1::JOB_KIND_VERIFY, JobKind::kVerify},
      {v1::JOB_KIND_IMPORT, JobKind::kImport},
      {v1::JOB_KIND_EXPORT, JobKind::kExport},
      {v1::JOB_KIND_DIFF, JobKind::kDiff},
      {static_cast<v1::JobKind>(99), JobKind::kUnknown}};
  const std::pair<v1::JobState, JobState> states[] = {
      {v1::JOB_STATE_QUEUED, JobState::kQueued},
      {v1::JOB_STATE_RUNNING, JobState::kRunning},
      {v1::JOB_STATE_SUCCEEDED, JobState::kSucceeded},
      {v1::JOB_STATE_CANCELLED, JobState::kCancelled},
      {static_cast<v1::JobState>(99), JobState::kUnknown}};
  Fixture f;
  v1::ListJobsResponse response;
  for (const auto& [wire, here] : kinds) response.add_jobs()->set_kind(wire);
  for (const auto& [wire, here] : states) response.add_jobs()->set_state(wire);
  f.server.list_jobs.ThenAnswer(response);
  const auto jobs = MakeJobs(f).List();
  REQUIRE(jobs.ok());
  size_t next = 0;
  for (const auto& [wire, here] : kinds) CHECK(jobs->at(next++).kind == here);
  for (const auto& [wire, here] : states) CHECK(jobs->at(next++).state == here);
}

TEST_CASE("what a job does not have is not there") {
  Fixture f;
  f.server.get_job.ThenAnswer();
  const auto job = MakeJobs(f).Get(1);
  CHECK_FALSE(job->time_left.has_value());
  CHECK_FALSE(job->start_time.has_value());
  CHECK_FALSE(job->end_time.has_value());
  CHECK(job->error.ok());
  CHECK_FALSE(job->ended());
}

TEST_CASE("a watch shows a job until it has ended") {
  Fixture f;
  f.server.watch_job.ThenAnswer({Seen(JobAt(v1::JOB_STATE_QUEUED)),
                                 Seen(JobAt(v1::JOB_STATE_RUNNING)),
                                 Seen(JobAt(v1::JOB_STATE_SUCCEEDED))});
  JobWatch watch = MakeJobs(f).Watch({.id = 7, .interval = milliseconds(1500)});
  std::vector<JobState> states;
  while (true) {
    const auto job = watch.Next();
    REQUIRE(job.ok());
    if (!job->has_value()) break;
    states.push_back((*job)->state);
  }
  CHECK(states == std::vector{JobState::kQueued, JobState::kRunning, JobState::kSucceeded});
  CHECK_FALSE(watch.Next()->has_value());
  CHECK(f.server.watch_job.requests().at(0).ShortDebugString() ==
        "id: 7 interval { seconds: 1 nanos: 500000000 }");
}

TEST_CASE("a watch that breaks goes on, however often, as long as something comes in between") {
  Fixture f;
  f.options.retry_policy = std::make_shared<LimitedRetryPolicy>(1);
  for (int i = 0; i < 3; ++i) {
    f.server.watch_job.Then([](const auto&, auto* jobs) {
      jobs->push_back(Seen(JobAt(v1::JOB_STATE_RUNNING)));
      return Broken();
    });
  }
  f.server.watch_job.ThenAnswer({Seen(JobAt(v1::JOB_STATE_SUCCEEDED))});
  const auto job = MakeJobs(f).Wait(7);
  REQUIRE(job.ok());
  CHECK(job->state == JobState::kSucceeded);
  CHECK(f.server.watch_job.calls() == 4);
}

TEST_CASE("a watch ends when the server does not come back") {
  Fixture f;
  f.server.watch_job.ThenFail(Broken());
  const auto job = MakeJobs(f).Wait(7);
  CHECK(job.status().code() == absl::StatusCode::kUnavailable);
  CHECK(f.server.watch_job.calls() == 4);
}

TEST_CASE("a job of the same number after a restart of the server is another one") {
  Fixture f;
  f.server.watch_job.Then([](const auto&, auto* jobs) {
    jobs->push_back(Seen(JobAt(v1::JOB_STATE_RUNNING, 1)));
    return Broken();
  });
  f.server.watch_job.ThenAnswer({Seen(JobAt(v1::JOB_STATE_SUCCEEDED, 2))});
  CHECK(ReasonOf(MakeJobs(f).Wait(7).status()) == Reason::kJobNotFound);
}

TEST_CASE("waiting is for the end, whatever became of the job") {
  Fixture f;
  v1::Job failed = JobAt(v1::JOB_STATE_FAILED);
  *failed.mutable_error() = TarnErrorProto(StatusCode::DATA_LOSS, "DATA_LOSS");
  f.server.watch_job.ThenAnswer({Seen(failed)});
  const auto job = MakeJobs(f).Wait(7);
  REQUIRE(job.ok());
  CHECK(ReasonOf(job->error) == Reason::kDataLoss);
}

TEST_CASE("a watch that ends before its job did is the server's defect") {
  Fixture f;
  f.server.watch_job.ThenAnswer({Seen(JobAt(v1::JOB_STATE_RUNNING))});
  CHECK(MakeJobs(f).Wait(7).status().code() == absl::StatusCode::kInternal);
}

TEST_CASE("a watch may outlive its client, and be given up") {
  Fixture f;
  f.server.watch_job.ThenAnswer(
      {Seen(JobAt(v1::JOB_STATE_RUNNING)), Seen(JobAt(v1::JOB_STATE_RUNNING))});
  JobWatch watch = MakeJobs(f).Watch({.id = 7});
  CHECK(watch.Next()->has_value());
}

TEST_CASE("a job is cancelled, if need be twice") {
  Fixture f;
  v1::CancelJobResponse response;
  *response.mutable_job() = JobAt(v1::JOB_STATE_CANCELLED);
  f.server.cancel_job.ThenFail(Broken()).ThenAnswer(response);
  const auto job = MakeJobs(f).Cancel(7);
  REQUIRE(job.ok());
  CHECK(job->state == JobState::kCancelled);
  CHECK(f.server.cancel_job.requests().at(1).id() == 7);
}

TEST_CASE("every call about jobs passes its error on") {
  Fixture f;
  const auto missing = TarnError(StatusCode::NOT_FOUND, "JOB_NOT_FOUND");
  f.server.get_job.ThenFail(missing);
  f.server.list_jobs.ThenFail(missing);
  f.server.cancel_job.ThenFail(missing);
  f.server.watch_job.ThenFail(missing);
  const JobClient jobs = MakeJobs(f);
  CHECK(ReasonOf(jobs.Get(1).status()) == Reason::kJobNotFound);
  CHECK(ReasonOf(jobs.List().status()) == Reason::kJobNotFound);
  CHECK(ReasonOf(jobs.Cancel(1).status()) == Reason::kJobNotFound);
  JobWatch watch = jobs.Watch({.id = 1});
  CHECK(ReasonOf(watch.Next().status()) == Reason::kJobNotFound);
  CHECK_FALSE(watch.Next()->has_value());
}

TEST_CASE("a job connection that offers nothing says so") {
  class Bare : public JobConnection {};
  const JobClient jobs(std::make_shared<Bare>());
  constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;
  CHECK(jobs.Get(1).status().code() == kUnimplemented);
  CHECK(jobs.List().status().code() == kUnimplemented);
  CHECK(jobs.Cancel(1).status().code() == kUnimplemented);
  CHECK(jobs.Wait(1).status().code() == kUnimplemented);
}

TEST_CASE("options that cannot work are refused before there is a connection for jobs") {
  CHECK(ReasonOf(JobClient::Connect({.endpoint = "nowhere"}).status()) == Reason::kInvalidOptions);
  CHECK(JobClient::Connect().ok());
}

}  // namespace
}  // namespace tarn::testing
