// The CheckpointConnection to a server.
#pragma once

#include <memory>
#include <string>

#include "client/src/caller.h"
#include "client/src/world.h"
#include "tarn/checkpoint.h"
#include "tarn/v1/checkpoint.grpc.pb.h"

namespace tarn::internal {

// Thread-safe; constant after construction.
class GrpcCheckpointConnection : public CheckpointConnection {
 public:
  GrpcCheckpointConnection(const std::shared_ptr<grpc::ChannelInterface>& channel,
                           const ClientOptions& options, World world);

  absl::StatusOr<Job> CreateCheckpoint(CreateCheckpointParams params) override;
  absl::StatusOr<Checkpoint> GetCheckpoint(std::string id, Timeout timeout) override;
  absl::StatusOr<CheckpointList> ListCheckpoints(Timeout timeout) override;
  absl::StatusOr<Job> VerifyCheckpoint(std::string id, Timeout timeout) override;
  absl::Status DeleteCheckpoint(std::string id, Timeout timeout) override;
  absl::StatusOr<Checkpoint> PinCheckpoint(std::string id, std::string reason,
                                           Timeout timeout) override;
  absl::StatusOr<Checkpoint> UnpinCheckpoint(std::string id, Timeout timeout) override;
  absl::StatusOr<Job> RestoreCheckpoint(RestoreCheckpointParams params) override;
  absl::StatusOr<CheckpointEntryResult> GetCheckpointEntry(
      GetCheckpointEntryParams params) override;
  std::unique_ptr<CheckpointDiffSource> DiffCheckpoints(DiffCheckpointsParams params) override;
  std::unique_ptr<CheckpointExport> ExportCheckpoint(ExportCheckpointParams params) override;
  absl::StatusOr<Checkpoint> ImportCheckpoint(ImportCheckpointParams params) override;

 private:
  const std::shared_ptr<v1::CheckpointService::Stub> stub_;
  const std::shared_ptr<const Caller> caller_;  // What is streamed may outlive the connection.
};

}  // namespace tarn::internal
