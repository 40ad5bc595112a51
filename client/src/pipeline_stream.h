// One stream of the method Pipeline: gRPC's reactor, without any decisions.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "tarn/v1/state.grpc.pb.h"
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

namespace tarn::internal {

// Hears of one stream. Answered, ReadEnded and Ended come one after the other; those of writes
// beside them.
class PipelineStreamListener {
 public:
  virtual ~PipelineStreamListener() = default;
  virtual void Answered(v1::PipelineResponse& response) = 0;
  // The write, or the half-close, has ended: the stream can write again.
  virtual void Written() = 0;
  // It has ended, but the stream is broken. ReadEnded comes too, before or after.
  virtual void WriteFailed() = 0;
  // There will be no more answers. From now on nothing may be written; Release() as soon as nothing
  // is being written.
  virtual void ReadEnded() = 0;
  // The last call; the stream is gone after it. `status` is OK only if the server ended the stream
  // so.
  virtual void Ended(const absl::Status& status) = 0;
};

// Deletes itself when it has ended. Between Start and Release it can be used by any thread, one
// write at a time.
class PipelineStream : public grpc::ClientBidiReactor<v1::PipelineRequest, v1::PipelineResponse> {
 public:
  PipelineStream(v1::StateService::Stub& stub, std::shared_ptr<PipelineStreamListener> listener);

  void Start();
  void Write(const v1::PipelineRequest& request) { StartWrite(&request); }
  void HalfClose() { StartWritesDone(); }
  void Release() { RemoveHold(); }

  // For cancelling from any thread, also after the stream is gone.
  const std::shared_ptr<grpc::ClientContext>& context() const { return context_; }

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override { ok ? listener_->Written() : listener_->WriteFailed(); }
  void OnWritesDoneDone(bool ok) override { OnWriteDone(ok); }
  void OnDone(const grpc::Status& status) override;

 private:
  const std::shared_ptr<grpc::ClientContext> context_ = std::make_shared<grpc::ClientContext>();
  const std::shared_ptr<PipelineStreamListener> listener_;
  v1::PipelineResponse response_;
};

}  // namespace tarn::internal
