#include "server/rpc/job_service.h"

#include "absl/synchronization/notification.h"
#include "storage/base/error.h"
#include "tests/catch.h"
#include "tests/server/rpc/checkpoint_world.h"
#include "tests/server/rpc/fakes.h"

namespace tarn::server {
namespace {

using checkpoint::Job;
using checkpoint::JobId;
using checkpoint::JobKind;
using tarn::v1::WatchJobRequest;
using tarn::v1::WatchJobResponse;
using testing::FakeCall;
using testing::kStart;
using testing::Value;
using Outcome = StreamHandler::Outcome;

using Get = FakeCall<tarn::v1::GetJobRequest, tarn::v1::GetJobResponse>;
using List = FakeCall<tarn::v1::ListJobsRequest, tarn::v1::ListJobsResponse>;
using Cancel = FakeCall<tarn::v1::CancelJobRequest, tarn::v1::CancelJobResponse>;

tarn::v1::GetJobRequest GetRequest(JobId id) {
  tarn::v1::GetJobRequest request;
  request.set_id(id);
  return request;
}
tarn::v1::CancelJobRequest CancelRequest(JobId id) {
  tarn::v1::CancelJobRequest request;
  request.set_id(id);
  return request;
}
WatchJobRequest WatchRequest(JobId id) {
  WatchJobRequest request;
  request.set_id(id);
  return request;
}

struct World : testing::CheckpointWorld {
  Job Begin() { return Value(control->jobs().Begin(JobKind::kVerify, "something")); }

  tarn::v1::Job Shown(JobId id) {
    Get call(GetRequest(id));
    jobs.GetJob(call);
    CHECK(call.end == "OK");
    return call.response().job();
  }

  JobService jobs{door, policy, clock};
};

TEST_CASE("a job is shown as it stands") {
  World world;
  Job job = world.Begin();
  tarn::v1::Job shown = world.Shown(job.id());
  CHECK(shown.id() == 1);
  CHECK(shown.kind() == tarn::v1::JOB_KIND_VERIFY);
  CHECK(shown.subject() == "something");
  CHECK(shown.state() == tarn::v1::JOB_STATE_QUEUED);
  CHECK(shown.create_time().seconds() == kStart / 1000);
  CHECK_FALSE(shown.has_start_time());

  job.Start();
  job.progress().phase = "verifying";
  job.progress().total_entries = 100;
  job.progress().entries = 25;
  job.progress().bytes = 1000;
  world.clock.Advance(1000);
  shown = world.Shown(1);
  CHECK(shown.state() == tarn::v1::JOB_STATE_RUNNING);
  CHECK(shown.phase() == "verifying");
  CHECK(shown.entry_count() == 25);
  CHECK(shown.total_entry_count() == 100);
  CHECK(shown.size_bytes() == 1000);
  CHECK(shown.entries_per_second() == 25);
  CHECK(shown.bytes_per_second() == 1000);
  CHECK(shown.time_left().seconds() == 3);
  CHECK(shown.start_time().seconds() == kStart / 1000);
  CHECK_FALSE(shown.has_end_time());

  std::move(job).End(std::string("00000007-0000000001"));
  shown = world.Shown(1);
  CHECK(shown.state() == tarn::v1::JOB_STATE_SUCCEEDED);
  CHECK(shown.result() == "00000007-0000000001");
  CHECK_FALSE(shown.has_error());
  CHECK(shown.end_time().seconds() == kStart / 1000 + 1);
}

TEST_CASE("what became of a job is said with its reason") {
  World world;
  world.Begin().End(base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss, "bad"));
  world.Begin().End(absl::CancelledError("cancelled"));
  world.Begin().End(absl::InternalError("cannot write c/x: Input/output error"));
  CHECK(world.Shown(1).state() == tarn::v1::JOB_STATE_FAILED);
  CHECK(testing::Brief(world.Shown(1).error()) == "DATA_LOSS DATA_LOSS");
  CHECK(world.Shown(2).state() == tarn::v1::JOB_STATE_CANCELLED);
  CHECK(testing::Brief(world.Shown(2).error()) == "CANCELLED");
  CHECK(testing::Brief(world.Shown(3).error()) == "INTERNAL ENGINE_ERROR");
}

TEST_CASE("jobs are listed in the order in which they were begun") {
  World world;
  Job first = world.Begin();
  Job second = Value(world.control->jobs().Begin(JobKind::kDiff, "other"));
  List call{{}};
  world.jobs.ListJobs(call);
  CHECK(call.end == "OK");
  REQUIRE(call.response().jobs_size() == 2);
  CHECK(call.response().jobs(0).id() == 1);
  CHECK(call.response().jobs(1).kind() == tarn::v1::JOB_KIND_DIFF);
}

TEST_CASE("a job that is cancelled is told so") {
  World world;
  Job job = world.Begin();
  Cancel call(CancelRequest(job.id()));
  world.jobs.CancelJob(call);
  CHECK(call.end == "OK");
  CHECK(call.response().job().state() == tarn::v1::JOB_STATE_QUEUED);
  CHECK(job.progress().cancel);
  // Again, and when it has ended.
  std::move(job).End(absl::CancelledError(""));
  Cancel again(CancelRequest(1));
  world.jobs.CancelJob(again);
  CHECK(again.end == "OK");
  CHECK(again.response().job().state() == tarn::v1::JOB_STATE_CANCELLED);
}

TEST_CASE("cancelling is for admins") {
  World world;
  Job job = world.Begin();
  Cancel call(CancelRequest(job.id()), testing::Stranger());
  world.jobs.CancelJob(call);
  CHECK(call.end == "PERMISSION_DENIED PERMISSION_DENIED");
  CHECK_FALSE(job.progress().cancel);
}

TEST_CASE("jobs that nobody knows are not found") {
  World world;
  Get get(GetRequest(9));
  world.jobs.GetJob(get);
  CHECK(get.end == "NOT_FOUND JOB_NOT_FOUND");
  Cancel cancel(CancelRequest(9));
  world.jobs.CancelJob(cancel);
  CHECK(cancel.end == "NOT_FOUND JOB_NOT_FOUND");
}

// One call of WatchJob, looked at by the service's own thread never: its clock is the test's.
class Watching {
 public:
  Watching(JobWatches& watches, const checkpoint::JobRegistry& jobs, JobId id)
      : watches_(watches),
        handler_(watches.Watch(jobs, {.id = id, .interval = absl::Seconds(1)}, stream_)) {
    handler_->Start();
  }

  // What is being sent: the state's name and the count of entries; "" when nothing is.
  std::string Sent() const {
    if (!stream_.writing) return "";
    const tarn::v1::Job& job = stream_.writing->job();
    return std::string(tarn::v1::JobState_Name(job.state())).substr(10) + " " +
           std::to_string(job.entry_count());
  }
  std::string SentLater() {
    watches_.LookAtAll();
    return Sent();
  }
  void Written(Outcome outcome = Outcome::kDone) {
    stream_.writing.reset();
    handler_->OnWritten(outcome);
  }
  StreamHandler& handler() { return *handler_; }
  std::string End() const { return stream_.finished ? testing::Brief(*stream_.finished) : ""; }

 private:
  JobWatches& watches_;
  testing::FakeStream<WatchJobRequest, WatchJobResponse> stream_;
  std::unique_ptr<StreamHandler> handler_;
};

// Watches that look only when they are told to.
struct WatchWorld : World {
  explicit WatchWorld(size_t max_watches = 10)
      : watches({.period = absl::InfiniteDuration(), .max_watches = max_watches}, clock) {}

  Watching Watch(JobId id) { return {watches, control->jobs(), id}; }

  JobWatches watches;
};

TEST_CASE("a watch tells the job at once, at each change, and ends with it") {
  WatchWorld world;
  Job job = world.Begin();
  Watching watching = world.Watch(job.id());
  CHECK(watching.Sent() == "QUEUED 0");
  watching.Written();
  CHECK(watching.SentLater().empty());
  job.Start();
  CHECK(watching.SentLater() == "RUNNING 0");
  watching.Written();
  job.progress().entries = 5;
  std::move(job).End(std::string("done"));
  CHECK(watching.SentLater() == "SUCCEEDED 5");
  CHECK(watching.End().empty());
  watching.Written();
  CHECK(watching.End() == "OK");
}

TEST_CASE("a watch of a job that has ended tells that and ends") {
  WatchWorld world;
  world.Begin().End(absl::InternalError("broken"));
  Watching watching = world.Watch(1);
  CHECK(watching.Sent() == "FAILED 0");
  watching.Written();
  CHECK(watching.End() == "OK");
}

TEST_CASE("a watch is never silent for longer than its interval") {
  WatchWorld world;
  Job job = world.Begin();
  job.Start();
  Watching watching = world.Watch(job.id());
  watching.Written();
  job.progress().entries = 7;
  world.clock.Advance(999);
  CHECK(watching.SentLater().empty());
  world.clock.Advance(1);
  CHECK(watching.SentLater() == "RUNNING 7");
  watching.Written();
  CHECK(watching.SentLater().empty());
}

TEST_CASE("what changes while a message is on its way is told after it, once") {
  WatchWorld world;
  Job job = world.Begin();
  Watching watching = world.Watch(job.id());
  job.Start();
  CHECK(watching.SentLater() == "QUEUED 0");
  watching.Written();
  CHECK(watching.Sent() == "RUNNING 0");
}

TEST_CASE("a watch ends when the server drains, the caller goes, or the job is forgotten") {
  WatchWorld world;
  std::vector<Job> jobs;
  jobs.push_back(world.Begin());
  Watching watching = world.Watch(1);
  SECTION("drains") {
    watching.Written();
    watching.handler().OnDrain();
    CHECK(watching.End() == "UNAVAILABLE DRAINING");
  }
  SECTION("drains while a message is on its way") {
    watching.handler().OnDrain();
    CHECK(watching.End().empty());
    watching.Written();
    CHECK(watching.End() == "UNAVAILABLE DRAINING");
  }
  SECTION("cancelled") {
    watching.Written();
    watching.handler().OnCancelled();
    CHECK(watching.End() == "CANCELLED");
  }
  SECTION("broken") {
    watching.Written(Outcome::kFailed);
    CHECK_FALSE(watching.End().empty());
  }
  SECTION("forgotten") {
    watching.Written();
    std::move(jobs.back()).Forget();
    CHECK(watching.SentLater().empty());
    CHECK(watching.End() == "NOT_FOUND JOB_NOT_FOUND");
  }
}

TEST_CASE("so many watches and no more") {
  WatchWorld world(1);
  Job job = world.Begin();
  {
    Watching first = world.Watch(job.id());
    Watching second = world.Watch(job.id());
    CHECK(first.End().empty());
    CHECK(second.End() == "RESOURCE_EXHAUSTED QUEUE_FULL");
  }
  CHECK(world.Watch(job.id()).End().empty());
}

TEST_CASE("the service looks after its watches by itself") {
  // Tells when the job's end is written.
  class Stream final : public ResponseStream<WatchJobResponse> {
   public:
    Peer peer() const override { return {}; }
    bool Cancelled() const override { return false; }
    void Write(const WatchJobResponse& response) override {
      if (response.job().state() == tarn::v1::JOB_STATE_SUCCEEDED) ended.Notify();
    }
    void Finish() override {}
    void Fail(const google::rpc::Status& /*error*/) override {}

    absl::Notification ended;
  };

  World world;
  Job job = world.Begin();
  const WatchJobRequest request = WatchRequest(job.id());
  Stream stream;
  const auto handler = world.jobs.WatchJob(request, stream);
  handler->Start();
  handler->OnWritten(Outcome::kDone);
  std::move(job).End(std::string("done"));
  stream.ended.WaitForNotification();
}

TEST_CASE("a watch that cannot begin says why") {
  World world;
  const auto end = [&](const WatchJobRequest& request) {
    testing::FakeStream<WatchJobRequest, WatchJobResponse> stream;
    world.jobs.WatchJob(request, stream)->Start();
    return testing::Brief(*stream.finished);
  };
  CHECK(end(WatchRequest(9)) == "NOT_FOUND JOB_NOT_FOUND");
  WatchJobRequest negative = WatchRequest(1);
  negative.mutable_interval()->set_seconds(-1);
  CHECK(end(negative) == "INVALID_ARGUMENT INVALID_REQUEST at interval");
}

TEST_CASE("jobs are shown while the server drains, and not before it is ready") {
  World world;
  Job job = world.Begin();
  world.gate.Drain();
  CHECK(world.Shown(job.id()).id() == 1);

  CheckpointDoor shut(world.gate);
  JobService early(shut, world.policy, world.clock);
  Get get(GetRequest(1));
  early.GetJob(get);
  CHECK(get.end == "UNAVAILABLE NOT_READY");
  List list{{}};
  early.ListJobs(list);
  CHECK(list.end == "UNAVAILABLE NOT_READY");
}

TEST_CASE("a server without checkpoints has no jobs") {
  World world;
  CheckpointDoor disabled(world.gate);
  disabled.Disable();
  JobService jobs(disabled, world.policy, world.clock);
  List list{{}};
  jobs.ListJobs(list);
  CHECK(list.end == "OK");
  CHECK(list.response().jobs_size() == 0);
  Get get(GetRequest(1));
  jobs.GetJob(get);
  CHECK(get.end == "NOT_FOUND JOB_NOT_FOUND");
}

}  // namespace
}  // namespace tarn::server
