// Checkpoints and restores of a running server, waited for. Whatever fails ends the program.
#pragma once

#include <memory>
#include <string>

#include "tarn/v1/checkpoint.grpc.pb.h"
#include "tarn/v1/job.grpc.pb.h"
#include <grpcpp/grpcpp.h>

namespace tarn::bench {

class ServerJobs {
 public:
  explicit ServerJobs(const std::string& endpoint);

  struct Done {
    double seconds = 0;
    std::string checkpoint;
  };

  // From the call to the end of its job.
  Done CreateCheckpoint();
  // From the call until the restored state is served, to a tenth of a second; returns when its
  // first checkpoint is made, too. The state that is given up is not checkpointed.
  Done Restore(const std::string& checkpoint);

 private:
  // Until the job ends, or is at `phase`; waits for its end.
  Done WaitFor(uint64_t id, const std::string& phase = "");

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<tarn::v1::CheckpointService::Stub> checkpoints_;
  const std::unique_ptr<tarn::v1::JobService::Stub> jobs_;
};

}  // namespace tarn::bench
