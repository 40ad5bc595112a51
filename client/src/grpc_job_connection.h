// The JobConnection to a server.
#pragma once

#include <memory>
#include <vector>

#include "client/src/caller.h"
#include "client/src/world.h"
#include "tarn/job.h"
#include "tarn/v1/job.grpc.pb.h"

namespace tarn::internal {

// Thread-safe; constant after construction.
class GrpcJobConnection : public JobConnection {
 public:
  GrpcJobConnection(const std::shared_ptr<grpc::ChannelInterface>& channel,
                    const ClientOptions& options, World world);

  absl::StatusOr<Job> GetJob(uint64_t id, Timeout timeout) override;
  absl::StatusOr<std::vector<Job>> ListJobs(Timeout timeout) override;
  absl::StatusOr<Job> CancelJob(uint64_t id, Timeout timeout) override;
  std::unique_ptr<JobWatchSource> WatchJob(WatchJobParams params) override;

 private:
  const std::shared_ptr<v1::JobService::Stub> stub_;
  const std::shared_ptr<const Caller> caller_;  // What is watched may outlive the connection.
};

}  // namespace tarn::internal
