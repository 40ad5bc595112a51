// Checkpoints and jobs of a real daemon, as its operators see them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tarn/v1/checkpoint.grpc.pb.h"
#include "tarn/v1/job.grpc.pb.h"
#include "tests/e2e/raw_client.h"

namespace tarn::testing {

class CheckpointClient {
 public:
  explicit CheckpointClient(const std::string& address);

  RawClient& raw() { return raw_; }

  // Each waits for the end of its job: the result (a checkpoint's id), or the error in brief.
  std::string Create(const std::string& pin = "");
  std::string Verify(const std::string& id);
  std::string Restore(const std::string& id = "latest");
  std::string Restore(const v1::RestoreCheckpointRequest& request);

  // Begins one: its job, or nothing with the error in `error`.
  std::optional<v1::Job> Begin(const v1::RestoreCheckpointRequest& request, std::string* error);
  v1::Job WaitFor(uint64_t job);
  // As it is now; unspecified when it is not known.
  v1::JobState StateOf(uint64_t job);

  std::string Delete(const std::string& id);
  std::vector<v1::Checkpoint> List();
  // Their ids, and of those that were set aside.
  std::vector<std::string> Ids();
  std::vector<std::string> Quarantined();

 private:
  std::string ResultOf(const std::string& called, const v1::Job& job);
  v1::ListCheckpointsResponse ListAll();

  RawClient raw_;
  std::unique_ptr<v1::CheckpointService::Stub> checkpoints_;
  std::unique_ptr<v1::JobService::Stub> jobs_;
};

// Damages a file.
void FlipByte(const std::string& path, long offset);

}  // namespace tarn::testing
