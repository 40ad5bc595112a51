// One call of CheckpointService.ImportCheckpoint.
#pragma once

#include <memory>

#include "checkpoint/upload.h"
#include "server/rpc/job_stream.h"
#include "tarn/v1/checkpoint.pb.h"

namespace tarn::server {

// Takes piece after piece: the next one is read when the one before is on the disk.
class ImportHandler final : public JobStream {
 public:
  ImportHandler(
      CheckpointControl& control, checkpoint::Job job,
      RequestStream<tarn::v1::ImportCheckpointRequest, tarn::v1::ImportCheckpointResponse>& stream)
      : JobStream(control, std::move(job), stream), stream_(stream) {}

  void Start() override;
  void OnRead(Outcome outcome) override;

 private:
  void TakePart();
  absl::Status Take(const tarn::v1::ImportCheckpointRequest& request);
  absl::Status Begin(const tarn::v1::ImportOptions& options);
  void ImportAll();

  RequestStream<tarn::v1::ImportCheckpointRequest, tarn::v1::ImportCheckpointResponse>& stream_;
  tarn::v1::ImportCheckpointRequest request_;
  std::unique_ptr<checkpoint::CheckpointUpload> upload_;
};

}  // namespace tarn::server
