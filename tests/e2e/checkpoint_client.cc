#include "tests/e2e/checkpoint_client.h"

#include <fstream>
#include <stdexcept>

namespace tarn::testing {

using Checkpoints = v1::CheckpointService::Stub;

CheckpointClient::CheckpointClient(const std::string& address)
    : raw_(address),
      checkpoints_(v1::CheckpointService::NewStub(raw_.channel())),
      jobs_(v1::JobService::NewStub(raw_.channel())) {}

v1::Job CheckpointClient::WaitFor(uint64_t job) {
  const auto context = raw_.NewContext();
  v1::WatchJobRequest request;
  request.set_id(job);
  const auto stream = jobs_->WatchJob(context.get(), request);
  v1::WatchJobResponse response;
  v1::Job last;
  while (stream->Read(&response)) last = response.job();
  const grpc::Status status = stream->Finish();
  if (!status.ok()) throw std::runtime_error("watching a job: " + Brief(status));
  return last;
}

v1::JobState CheckpointClient::StateOf(uint64_t job) {
  v1::GetJobRequest request;
  v1::GetJobResponse response;
  request.set_id(job);
  raw_.Call(*jobs_, &v1::JobService::Stub::GetJob, request, &response);
  return response.job().state();
}

std::string CheckpointClient::ResultOf(const std::string& called, const v1::Job& job) {
  if (called != "OK") return called;
  const v1::Job ended = WaitFor(job.id());
  return ended.state() == v1::JOB_STATE_SUCCEEDED ? ended.result() : Brief(ended.error());
}

std::string CheckpointClient::Create(const std::string& pin) {
  v1::CreateCheckpointRequest request;
  v1::CreateCheckpointResponse response;
  request.set_pin_reason(pin);
  const std::string called =
      raw_.Call(*checkpoints_, &Checkpoints::CreateCheckpoint, request, &response);
  return ResultOf(called, response.job());
}

std::string CheckpointClient::Verify(const std::string& id) {
  v1::VerifyCheckpointRequest request;
  v1::VerifyCheckpointResponse response;
  request.set_id(id);
  const std::string called =
      raw_.Call(*checkpoints_, &Checkpoints::VerifyCheckpoint, request, &response);
  return ResultOf(called, response.job());
}

std::string CheckpointClient::Restore(const std::string& id) {
  v1::RestoreCheckpointRequest request;
  request.set_id(id);
  return Restore(request);
}

std::string CheckpointClient::Restore(const v1::RestoreCheckpointRequest& request) {
  std::string error;
  const std::optional<v1::Job> job = Begin(request, &error);
  return job ? ResultOf("OK", *job) : error;
}

std::optional<v1::Job> CheckpointClient::Begin(const v1::RestoreCheckpointRequest& request,
                                               std::string* error) {
  v1::RestoreCheckpointResponse response;
  *error = raw_.Call(*checkpoints_, &Checkpoints::RestoreCheckpoint, request, &response);
  return *error == "OK" ? std::optional(response.job()) : std::nullopt;
}

std::string CheckpointClient::Delete(const std::string& id) {
  v1::DeleteCheckpointRequest request;
  v1::DeleteCheckpointResponse response;
  request.set_id(id);
  return raw_.Call(*checkpoints_, &Checkpoints::DeleteCheckpoint, request, &response);
}

v1::ListCheckpointsResponse CheckpointClient::ListAll() {
  v1::ListCheckpointsResponse response;
  const std::string called = raw_.Call(*checkpoints_, &Checkpoints::ListCheckpoints,
                                       v1::ListCheckpointsRequest(), &response);
  if (called != "OK") throw std::runtime_error("listing checkpoints: " + called);
  return response;
}

std::vector<v1::Checkpoint> CheckpointClient::List() {
  const v1::ListCheckpointsResponse response = ListAll();
  return {response.checkpoints().begin(), response.checkpoints().end()};
}

std::vector<std::string> CheckpointClient::Ids() {
  std::vector<std::string> ids;
  for (const v1::Checkpoint& checkpoint : List()) ids.push_back(checkpoint.id());
  return ids;
}

std::vector<std::string> CheckpointClient::Quarantined() {
  const v1::ListCheckpointsResponse response = ListAll();
  return {response.quarantined_ids().begin(), response.quarantined_ids().end()};
}

void FlipByte(const std::string& path, long offset) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(offset);
  const int byte = file.get();
  file.seekp(offset);
  file.put(static_cast<char>(byte ^ 1));
  if (!file) throw std::runtime_error("cannot damage " + path);
}

}  // namespace tarn::testing
