// What becomes of a message of the pipeline: the end of the way back.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "client/src/pipeline_queue.h"
#include "tarn/v1/state.pb.h"

namespace tarn::internal {

// A message that is done with: whose callbacks are to be called, and with what.
struct Delivery {
  std::unique_ptr<PipelineMessage> message;
  absl::Status failure;                      // Not OK: of the message as a whole.
  v1::PipelineResponse* response = nullptr;  // Else the answer.

  // Without any lock held. Takes the strings out of the response.
  void CallBack();
};

}  // namespace tarn::internal
