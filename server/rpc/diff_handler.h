// One call of CheckpointService.DiffCheckpoints.
#pragma once

#include <memory>
#include <optional>

#include "checkpoint/diff.h"
#include "server/rpc/job_stream.h"
#include "tarn/v1/checkpoint.pb.h"

namespace tarn::server {

// Compares and sends in turns: the caller's flow control sets the pace.
class DiffHandler final : public JobStream {
 public:
  struct Plan {
    checkpoint::CheckpointId from;
    checkpoint::CheckpointId to;
    checkpoint::DiffOptions options;
  };

  DiffHandler(CheckpointControl& control, checkpoint::Job job, Plan plan,
              ResponseStream<tarn::v1::DiffCheckpointsResponse>& stream)
      : JobStream(control, std::move(job), stream), plan_(std::move(plan)), stream_(stream) {}

  void Start() override;
  void OnWritten(Outcome outcome) override;

 private:
  void Begin();
  absl::Status Open();
  void GoOn();

  const Plan plan_;
  ResponseStream<tarn::v1::DiffCheckpointsResponse>& stream_;
  std::unique_ptr<checkpoint::CheckpointReader> from_;
  std::unique_ptr<checkpoint::CheckpointReader> to_;
  std::optional<checkpoint::CheckpointDiff> diff_;
  tarn::v1::DiffCheckpointsResponse response_;
};

}  // namespace tarn::server
