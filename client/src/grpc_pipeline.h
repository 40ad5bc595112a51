// The pipeline over the wire: decides what is sent when, and what becomes of it.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/src/pipeline_delivery.h"
#include "client/src/pipeline_queue.h"
#include "client/src/pipeline_stream.h"
#include "client/src/request_ids.h"
#include "client/src/world.h"
#include "tarn/connection.h"
#include "tarn/pipeline.h"

namespace tarn::internal {

// Shared by the pipeline, its stream and its timers. Thread-safe.
class PipelineCore : public PipelineStreamListener,
                     public std::enable_shared_from_this<PipelineCore> {
 public:
  // `ids` null: writes get no request ids.
  PipelineCore(std::shared_ptr<v1::StateService::Stub> stub, std::shared_ptr<RequestIds> ids,
               PipelineParams params, World world);
  ~PipelineCore() override;

  absl::Status Add(Operation operation, Callback<OperationResult> callback);
  absl::Status Add(Batch batch, Callback<BatchResult> callback);
  absl::Status Flush(std::chrono::milliseconds timeout);
  absl::Status Close(std::chrono::milliseconds timeout);
  void Cancel();
  // Waits until no callback can come any more. After Cancel.
  void AwaitEnd();

  void Answered(v1::PipelineResponse& response) override;
  void Written() override;
  void WriteFailed() override;
  void ReadEnded() override;
  void Ended(const absl::Status& status) override;

 private:
  enum class Phase {
    kIdle,       // No stream, and nothing to send.
    kStreaming,  // A stream exists, or is being made.
    kPausing,    // Waits before the next attempt.
  };

  // What is to be done next, without the lock.
  struct Step {
    enum class Kind { kNothing, kOpen, kWrite, kHalfClose, kRelease, kAskForId };
    Kind kind = Kind::kNothing;
    PipelineStream* stream = nullptr;
    const PipelineMessage* message = nullptr;
  };

  // Adding.
  absl::Status Admit(size_t operations, size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Sending.
  Step NextStep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Step WriteStep(const PipelineMessage& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // After a write, or a start: the next step, or letting go of a stream that has ended meanwhile.
  Step WriteEnded() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Perform(const Step& step) ABSL_LOCKS_EXCLUDED(mutex_);
  void OpenStream() ABSL_LOCKS_EXCLUDED(mutex_);
  void AskForId() ABSL_LOCKS_EXCLUDED(mutex_);
  void OnId(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  // Answers.
  void Deliver(std::vector<Delivery> deliveries) ABSL_LOCKS_EXCLUDED(mutex_);
  // Takes out of a gathered message, and sends again, what was refused only because it travelled
  // together with others.
  void ResendAlone(PipelineMessage& message, const v1::PipelineResponse& response)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Whether the message waits to be sent under a new id: the server has forgotten the client, and
  // nothing of the message can have been done.
  bool SendUnderNewId(std::unique_ptr<PipelineMessage>& message,
                      const v1::PipelineResponse& response) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // The end of a stream.
  absl::Status WhyEnded(const absl::Status& status) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sorts out what the stream leaves behind: what waits again, and what has failed.
  std::vector<Delivery> SortUnanswered(const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<Delivery> FailWaiting(const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What of the waiting fails now; else the pause before the next stream has begun.
  std::vector<Delivery> PauseOrGiveUp(const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool BeginPause(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PauseEnded() ABSL_LOCKS_EXCLUDED(mutex_);

  // Watching for a server that has gone silent.
  void WatchAnswers(std::chrono::nanoseconds already_silent) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CheckAnswers() ABSL_LOCKS_EXCLUDED(mutex_);
  bool AwaitsServer() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  bool InCallback() const { return callback_thread_.load() == std::this_thread::get_id(); }
  bool HasEnded() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return phase_ == Phase::kIdle && queue_.pending_operations() == 0;
  }

  const std::shared_ptr<v1::StateService::Stub> stub_;
  const std::shared_ptr<RequestIds> ids_;
  const std::string ns_;
  const PipelineOptions options_;
  const World world_;

  // The thread that is calling callbacks; no id when there is none.
  std::atomic<std::thread::id> callback_thread_;

  absl::Mutex mutex_;
  absl::CondVar changed_;  // Something was settled, or the phase has changed.
  PipelineQueue queue_ ABSL_GUARDED_BY(mutex_);
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kIdle;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;     // Takes no more.
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;  // And fails what it has.

  // Of the present stream.
  PipelineStream* stream_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::shared_ptr<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;  // Or being started.
  bool half_closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;  // Nothing more can be written.
  bool read_ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool stalled_ ABSL_GUARDED_BY(mutex_) = false;
  bool asking_for_id_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status no_id_ ABSL_GUARDED_BY(mutex_);  // Why the stream was given up.
  const PipelineMessage* being_written_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::unique_ptr<PipelineMessage> answered_too_soon_ ABSL_GUARDED_BY(mutex_);

  // Null until something fails, and after each answer.
  std::unique_ptr<RetryPolicy> retry_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<BackoffPolicy> backoff_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Timer> pause_ ABSL_GUARDED_BY(mutex_);

  TimePoint last_progress_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Timer> watch_ ABSL_GUARDED_BY(mutex_);  // Null when nobody watches.
};

class GrpcPipeline : public PipelineBackend {
 public:
  GrpcPipeline(std::shared_ptr<v1::StateService::Stub> stub, std::shared_ptr<RequestIds> ids,
               PipelineParams params, World world)
      : core_(std::make_shared<PipelineCore>(std::move(stub), std::move(ids), std::move(params),
                                             std::move(world))) {}
  ~GrpcPipeline() override {
    core_->Cancel();
    core_->AwaitEnd();
  }

  absl::Status Add(Operation operation, Callback<OperationResult> callback) override {
    return core_->Add(std::move(operation), std::move(callback));
  }
  absl::Status Add(Batch batch, Callback<BatchResult> callback) override {
    return core_->Add(std::move(batch), std::move(callback));
  }
  absl::Status Flush(std::chrono::milliseconds timeout) override { return core_->Flush(timeout); }
  absl::Status Close(std::chrono::milliseconds timeout) override { return core_->Close(timeout); }
  void Cancel() override { core_->Cancel(); }

 private:
  const std::shared_ptr<PipelineCore> core_;
};

}  // namespace tarn::internal
