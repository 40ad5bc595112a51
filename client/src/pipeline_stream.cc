#include "client/src/pipeline_stream.h"

#include <utility>

#include "client/src/status_mapping.h"

namespace tarn::internal {

PipelineStream::PipelineStream(v1::StateService::Stub& stub,
                               std::shared_ptr<PipelineStreamListener> listener)
    : listener_(std::move(listener)) {
  stub.async()->Pipeline(context_.get(), this);
}

void PipelineStream::Start() {
  // Writes begin on other threads than the reactor's; without the hold the stream could end between
  // two of them.
  AddHold();
  StartRead(&response_);
  StartCall();
}

void PipelineStream::OnReadDone(bool ok) {
  if (!ok) return listener_->ReadEnded();
  listener_->Answered(response_);
  StartRead(&response_);
}

void PipelineStream::OnDone(const grpc::Status& status) {
  const std::unique_ptr<PipelineStream> self(this);
  listener_->Ended(FromCall(status, *context_));
}

}  // namespace tarn::internal
