// CheckpointService and JobService over the wire.
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "tarn/v1/checkpoint.grpc.pb.h"
#include "tarn/v1/job.grpc.pb.h"
#include "tests/catch.h"
#include "tests/e2e/raw_client.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

using Checkpoints = v1::CheckpointService::Stub;

// A server that makes checkpoints only when it is asked to.
class Subject {
 public:
  explicit Subject(const std::string& engine = "memory")
      : daemon_({.directory = dir_.path(),
                 .arguments = {"--engine", engine, "--checkpoint-interval", "0s"}}),
        client(daemon_.grpc()),
        checkpoints_(v1::CheckpointService::NewStub(client.channel())),
        jobs_(v1::JobService::NewStub(client.channel())) {}

  template <typename Request, typename Response>
  std::string Try(grpc::Status (Checkpoints::*method)(grpc::ClientContext*, const Request&,
                                                      Response*),
                  const Request& request, Response* response) {
    return client.Call(*checkpoints_, method, request, response);
  }
  template <typename Request, typename Response>
  Response Ok(grpc::Status (Checkpoints::*method)(grpc::ClientContext*, const Request&, Response*),
              const Request& request) {
    Response response;
    REQUIRE(Try(method, request, &response) == "OK");
    return response;
  }

  // Watches the job to its end.
  v1::Job Await(const v1::Job& begun) {
    v1::WatchJobRequest request;
    request.set_id(begun.id());
    const auto context = client.NewContext();
    const auto reader = jobs_->WatchJob(context.get(), request);
    v1::WatchJobResponse response;
    while (reader->Read(&response)) {
    }
    REQUIRE(Brief(reader->Finish()) == "OK");
    return response.job();
  }

  // The id of a new one.
  std::string Create() {
    v1::CreateCheckpointRequest request;
    request.set_force(true);
    const v1::Job job = Await(Ok(&Checkpoints::CreateCheckpoint, request).job());
    REQUIRE(job.state() == v1::JOB_STATE_SUCCEEDED);
    return job.result();
  }

  std::string Export(const std::string& id, std::string* bytes) {
    v1::ExportCheckpointRequest request;
    request.set_id(id);
    const auto context = client.NewContext();
    const auto reader = checkpoints_->ExportCheckpoint(context.get(), request);
    v1::ExportCheckpointResponse response;
    while (reader->Read(&response)) *bytes += response.data();
    return Brief(reader->Finish());
  }

  std::string Import(const std::string& bytes, v1::ImportCheckpointResponse* response) {
    constexpr size_t kPieceBytes = 100'000;
    const auto context = client.NewContext();
    const auto writer = checkpoints_->ImportCheckpoint(context.get(), response);
    v1::ImportCheckpointRequest part;
    part.mutable_options();
    writer->Write(part);
    for (size_t at = 0; at < bytes.size(); at += kPieceBytes) {
      part.set_data(bytes.substr(at, kPieceBytes));
      if (!writer->Write(part)) break;
    }
    writer->WritesDone();
    return Brief(writer->Finish());
  }

  std::vector<std::string> Ids() {
    std::vector<std::string> ids;
    const auto response = Ok(&Checkpoints::ListCheckpoints, v1::ListCheckpointsRequest());
    for (const v1::Checkpoint& checkpoint : response.checkpoints()) ids.push_back(checkpoint.id());
    return ids;
  }

  v1::JobService::Stub& jobs() { return *jobs_; }
  Checkpoints& checkpoints() { return *checkpoints_; }
  DaemonProcess& daemon() { return daemon_; }

 private:
  const TempDir dir_;
  DaemonProcess daemon_;

 public:
  RawClient client;

 private:
  std::unique_ptr<Checkpoints> checkpoints_;
  std::unique_ptr<v1::JobService::Stub> jobs_;
};

template <typename Request>
Request Named(const std::string& id) {
  Request request;
  request.set_id(id);
  return request;
}

TEST_CASE("a checkpoint is created, watched, shown, proved, pinned and deleted", "[e2e]") {
  Subject subject(GENERATE(std::string("memory"), std::string("rocksdb")));
  REQUIRE(subject.client.Put("k", "v") == "OK");
  const std::string first = subject.Create();
  const std::string second = subject.Create();
  CHECK(subject.Ids() == std::vector<std::string>{first, second});

  const auto shown =
      subject.Ok(&Checkpoints::GetCheckpoint, Named<v1::GetCheckpointRequest>("latest"));
  CHECK(shown.checkpoint().id() == second);
  CHECK(shown.checkpoint().entry_count() == 1);

  const auto verify =
      subject.Ok(&Checkpoints::VerifyCheckpoint, Named<v1::VerifyCheckpointRequest>(first));
  CHECK(subject.Await(verify.job()).state() == v1::JOB_STATE_SUCCEEDED);

  v1::PinCheckpointRequest pin = Named<v1::PinCheckpointRequest>(first);
  pin.set_reason("audit");
  CHECK(subject.Ok(&Checkpoints::PinCheckpoint, pin).checkpoint().pin_reason() == "audit");
  v1::DeleteCheckpointResponse deleted;
  const auto wanted = Named<v1::DeleteCheckpointRequest>(first);
  CHECK(subject.Try(&Checkpoints::DeleteCheckpoint, wanted, &deleted) ==
        "FAILED_PRECONDITION CHECKPOINT_PINNED");
  subject.Ok(&Checkpoints::UnpinCheckpoint, Named<v1::UnpinCheckpointRequest>(first));
  CHECK(subject.Try(&Checkpoints::DeleteCheckpoint, wanted, &deleted) == "OK");
  CHECK(subject.Try(&Checkpoints::DeleteCheckpoint, wanted, &deleted) ==
        "NOT_FOUND CHECKPOINT_NOT_FOUND");
}

TEST_CASE("a checkpoint that was exported and deleted is imported again", "[e2e]") {
  Subject subject;
  for (int i = 0; i < 2000; ++i)
    REQUIRE(subject.client.Put("key" + std::to_string(i), std::string(500, 'v')) == "OK");
  const std::string id = subject.Create();
  std::string bytes;
  REQUIRE(subject.Export(id, &bytes) == "OK");
  subject.Create();
  subject.Ok(&Checkpoints::DeleteCheckpoint, Named<v1::DeleteCheckpointRequest>(id));

  v1::ImportCheckpointResponse imported;
  CHECK(subject.Import(bytes, &imported) == "OK");
  CHECK(imported.checkpoint().id() == id);
  CHECK(imported.checkpoint().entry_count() == 2000);
  std::string again;
  CHECK(subject.Export(id, &again) == "OK");
  CHECK((again == bytes));
}

TEST_CASE("what is not a checkpoint is refused while it is being sent", "[e2e]") {
  Subject subject;
  v1::ImportCheckpointResponse response;
  CHECK(subject.Import(std::string(1'000'000, 'x'), &response) == "DATA_LOSS DATA_LOSS");
  CHECK(subject.Ids().empty());
}

TEST_CASE("the past is read, and compared with the present", "[e2e]") {
  Subject subject;
  REQUIRE(subject.client.Put("k", "old") == "OK");
  const std::string first = subject.Create();
  REQUIRE(subject.client.Put("k", "new") == "OK");
  REQUIRE(subject.client.Put("l", "v") == "OK");
  subject.Create();

  v1::GetCheckpointEntryRequest request = Named<v1::GetCheckpointEntryRequest>(first);
  request.set_key("k");
  CHECK(subject.Ok(&Checkpoints::GetCheckpointEntry, request).entry().value() == "old");

  v1::DiffCheckpointsRequest diff;
  diff.set_from_id(first);
  diff.set_to_id("latest");
  const auto context = subject.client.NewContext();
  const auto reader = subject.checkpoints().DiffCheckpoints(context.get(), diff);
  v1::DiffCheckpointsResponse response;
  REQUIRE(reader->Read(&response));
  CHECK(response.changes_size() == 2);
  CHECK(response.totals().added_count() == 1);
  CHECK(response.totals().changed_count() == 1);
  CHECK_FALSE(reader->Read(&response));
  CHECK(Brief(reader->Finish()) == "OK");
}

TEST_CASE("an import whose caller gives up ends, and leaves no file", "[e2e]") {
  Subject subject;
  REQUIRE(subject.client.Put("k", "v") == "OK");
  std::string bytes;
  REQUIRE(subject.Export(subject.Create(), &bytes) == "OK");
  {
    v1::ImportCheckpointResponse response;
    const auto context = subject.client.NewContext();
    const auto writer = subject.checkpoints().ImportCheckpoint(context.get(), &response);
    v1::ImportCheckpointRequest part;
    part.mutable_options();
    REQUIRE(writer->Write(part));
    part.set_data(bytes.substr(0, bytes.size() - 1));
    REQUIRE(writer->Write(part));
    context->TryCancel();
    CHECK(writer->Finish().error_code() == grpc::StatusCode::CANCELLED);
  }
  v1::ListJobsResponse jobs;
  REQUIRE(subject.client.Call(subject.jobs(), &v1::JobService::Stub::ListJobs,
                              v1::ListJobsRequest(), &jobs) == "OK");
  const v1::Job ended = subject.Await(jobs.jobs(jobs.jobs_size() - 1));
  CHECK(ended.kind() == v1::JOB_KIND_IMPORT);
  CHECK(ended.state() == v1::JOB_STATE_CANCELLED);
  CHECK(subject.Ids().size() == 1);
}

TEST_CASE("a server that stops ends the streams that watch and import", "[e2e]") {
  Subject subject;
  v1::ImportCheckpointResponse response;
  const auto importing = subject.client.NewContext();
  const auto writer = subject.checkpoints().ImportCheckpoint(importing.get(), &response);
  v1::ImportCheckpointRequest part;
  part.mutable_options();
  REQUIRE(writer->Write(part));
  v1::ListJobsResponse jobs;
  while (jobs.jobs_size() == 0) {
    REQUIRE(subject.client.Call(subject.jobs(), &v1::JobService::Stub::ListJobs,
                                v1::ListJobsRequest(), &jobs) == "OK");
  }
  v1::WatchJobRequest request;
  request.set_id(jobs.jobs(0).id());
  const auto watching = subject.client.NewContext();
  const auto reader = subject.jobs().WatchJob(watching.get(), request);
  v1::WatchJobResponse seen;
  REQUIRE(reader->Read(&seen));

  subject.daemon().Signal(SIGTERM);
  while (reader->Read(&seen)) {
  }
  CHECK(Brief(reader->Finish()) == "UNAVAILABLE DRAINING");
  part.set_data("x");
  while (writer->Write(part)) {
  }
  CHECK_FALSE(writer->Finish().ok());
  CHECK(subject.daemon().Wait() == 0);
}

}  // namespace
}  // namespace tarn::testing
