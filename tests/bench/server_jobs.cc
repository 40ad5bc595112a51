#include "tests/bench/server_jobs.h"

#include <chrono>

#include "tests/bench/measure.h"

namespace tarn::bench {
namespace {

using Clock = std::chrono::steady_clock;

// The phase of a restore in which its state is served already.
constexpr char kServedAgain[] = "checkpointing the restored state";
constexpr int kLookNanos = 100'000'000;

void MustSucceed(const grpc::Status& status) {
  if (!status.ok()) Fail("a call failed: " + status.error_message());
}

}  // namespace

ServerJobs::ServerJobs(const std::string& endpoint)
    : channel_(grpc::CreateChannel(endpoint, grpc::InsecureChannelCredentials())),
      checkpoints_(v1::CheckpointService::NewStub(channel_)),
      jobs_(v1::JobService::NewStub(channel_)) {}

ServerJobs::Done ServerJobs::CreateCheckpoint() {
  grpc::ClientContext context;
  v1::CreateCheckpointRequest request;
  request.set_force(true);
  v1::CreateCheckpointResponse response;
  MustSucceed(checkpoints_->CreateCheckpoint(&context, request, &response));
  return WaitFor(response.job().id());
}

ServerJobs::Done ServerJobs::Restore(const std::string& checkpoint) {
  grpc::ClientContext context;
  v1::RestoreCheckpointRequest request;
  request.set_id(checkpoint);
  request.set_skip_safety_checkpoint(true);
  v1::RestoreCheckpointResponse response;
  MustSucceed(checkpoints_->RestoreCheckpoint(&context, request, &response));
  return WaitFor(response.job().id(), kServedAgain);
}

ServerJobs::Done ServerJobs::WaitFor(uint64_t id, const std::string& phase) {
  const Clock::time_point begin = Clock::now();
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_id(id);
  request.mutable_interval()->set_nanos(kLookNanos);
  const auto reader = jobs_->WatchJob(&context, request);
  Done done;
  v1::WatchJobResponse last;
  while (reader->Read(&last)) {
    const bool is_there = last.job().phase() == phase || last.job().state() > v1::JOB_STATE_RUNNING;
    if (!is_there || done.seconds > 0) continue;
    done.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  }
  MustSucceed(reader->Finish());
  if (last.job().state() != v1::JOB_STATE_SUCCEEDED)
    Fail("a job failed: " + last.job().error().message());
  done.checkpoint = last.job().result();
  return done;
}

}  // namespace tarn::bench
