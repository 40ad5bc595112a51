// One call of CheckpointService.ExportCheckpoint.
#pragma once

#include <memory>

#include "checkpoint/catalog.h"
#include "server/rpc/job_stream.h"
#include "tarn/v1/checkpoint.pb.h"

namespace tarn::server {

// Proves the whole file, then sends what was proved, piece by piece: the next one is read when the
// one before has gone out. The file stays open, so it may be deleted meanwhile.
class ExportHandler final : public JobStream {
 public:
  ExportHandler(CheckpointControl& control, checkpoint::Job job, checkpoint::CheckpointInfo info,
                ResponseStream<tarn::v1::ExportCheckpointResponse>& stream)
      : JobStream(control, std::move(job), stream), info_(std::move(info)), stream_(stream) {}

  void Start() override;
  void OnWritten(Outcome outcome) override;

 private:
  void Begin();
  absl::Status Prove();
  void SendNext();

  const checkpoint::CheckpointInfo info_;
  ResponseStream<tarn::v1::ExportCheckpointResponse>& stream_;
  std::unique_ptr<checkpoint::CheckpointReader> reader_;
  tarn::v1::ExportCheckpointResponse response_;
  uint64_t sent_bytes_ = 0;
};

}  // namespace tarn::server
