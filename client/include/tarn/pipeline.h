// Many operations over one stream: the fastest way to do much.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tarn/operation.h"
#include "tarn/options.h"
#include "tarn/policies.h"
#include "tarn/results.h"

namespace tarn {

// What Pipeline::Add does when as much is pending as the options allow.
enum class WhenFull {
  kBlock,   // Waits for room. From a pipeline's callback, where waiting would stop the answers, as
            // kRefuse.
  kRefuse,  // Returns RESOURCE_EXHAUSTED, PIPELINE_FULL.
};

struct PipelineOptions {
  // Single operations are gathered into messages of at most this. More amortises the cost of a
  // message (about that of 15 operations) better; the server allows Limits.max_batch_operations.
  size_t max_message_operations = 256;
  // An operation larger than this travels alone.
  size_t max_message_bytes = 256 << 10;

  // The largest message to send at all. A larger batch is refused here (INVALID_ARGUMENT,
  // BATCH_TOO_LARGE), because a message above Limits.max_request_bytes would cost the whole stream.
  size_t max_request_bytes = 4 << 20;

  // The most messages sent and not answered. A message that is not full waits while there are
  // several, so that it fills up: this is what gathers without a timer.
  size_t max_unanswered_messages = 16;

  // The most operations, and bytes of their keys and values, added and not answered.
  size_t max_pending_operations = 64 << 10;
  size_t max_pending_bytes = 64 << 20;
  WhenFull when_full = WhenFull::kBlock;

  // How long nothing at all may be answered while something is unanswered, before the stream is
  // given up as broken.
  std::chrono::milliseconds answer_timeout{30'000};

  // For connecting again; null = the client's. Cloned anew after each answer.
  std::shared_ptr<const RetryPolicy> retry_policy;
  std::shared_ptr<const BackoffPolicy> backoff_policy;
};

// What Pipeline stands on. For those who derive a Connection. Thread-safe.
class PipelineBackend {
 public:
  virtual ~PipelineBackend() = default;
  virtual absl::Status Add(Operation operation, Callback<OperationResult> callback) = 0;
  virtual absl::Status Add(Batch batch, Callback<BatchResult> callback) = 0;
  virtual absl::Status Flush(std::chrono::milliseconds timeout) = 0;
  virtual absl::Status Close(std::chrono::milliseconds timeout) = 0;
  virtual void Cancel() = 0;
};

// Sends operations and batches over one stream, gathering by itself: what is added while a message
// is being written, or while enough are unanswered, goes with the next. Thread-safe; any number of
// threads may add.
//
// Order. Operations on one key take effect in the order in which they were added. Operations on
// different keys may take effect in any order, and answers may come in any order. Callbacks run one
// at a time.
//
// Errors. An operation that the server refuses does not stop the ones behind it and is not
// repeated, because a repetition would break the order. When the stream breaks:
//   - what was not sent yet stays in line, and is sent on the next stream;
//   - if the server said that it did not run the rest (it is shutting down), or no connection was
//   made, the unanswered
//     are sent again, in order;
//   - else an unanswered read is sent again, and an unanswered write, or batch with one, fails with
//   UNKNOWN,
//     OUTCOME_UNKNOWN: it may have been done, and, if the server still has it, may yet be done;
//   - the stream is opened anew as the retry and backoff policies say. When they give up,
//   everything pending fails with
//     UNAVAILABLE, and nothing of it was done; the next Add begins anew.
//
// End. Call Flush or Close before the pipeline is destroyed: the destructor cancels what is
// pending, waits until its callbacks have run, and must not run in one of them.
class Pipeline {
 public:
  explicit Pipeline(std::unique_ptr<PipelineBackend> backend) : backend_(std::move(backend)) {}
  Pipeline(Pipeline&&) noexcept = default;
  Pipeline& operator=(Pipeline&&) noexcept = default;
  ~Pipeline() = default;

  // Takes an operation. OK: `callback` is called exactly once. Else it never is, and nothing was
  // done: RESOURCE_EXHAUSTED (PIPELINE_FULL), CANCELLED (PIPELINE_CLOSED), INVALID_ARGUMENT
  // (BATCH_TOO_LARGE).
  [[nodiscard]] absl::Status Add(Operation operation, Callback<OperationResult> callback) {
    return backend_->Add(std::move(operation), std::move(callback));
  }

  // Takes a batch, which travels as one message. As above.
  [[nodiscard]] absl::Status Add(Batch batch, Callback<BatchResult> callback) {
    return backend_->Add(std::move(batch), std::move(callback));
  }

  // The same with futures, which also tell why an operation was not taken. Dearer than a callback.
  std::future<absl::StatusOr<OperationResult>> Add(Operation operation);
  std::future<absl::StatusOr<BatchResult>> Add(Batch batch);

  // Waits until nothing is pending: every callback has returned. DEADLINE_EXCEEDED if that takes
  // longer. It says nothing about how the operations went.
  [[nodiscard]] absl::Status Flush(std::chrono::milliseconds timeout = kNoTimeout) {
    return backend_->Flush(timeout);
  }

  // Takes no more operations, waits as Flush does, and ends the stream.
  [[nodiscard]] absl::Status Close(std::chrono::milliseconds timeout = kNoTimeout) {
    return backend_->Close(timeout);
  }

  // Takes no more operations and fails all that are pending, soon: CANCELLED, PIPELINE_CLOSED if
  // not sent yet; a read CANCELLED; a write UNKNOWN, OUTCOME_UNKNOWN.
  void Cancel() { backend_->Cancel(); }

 private:
  std::unique_ptr<PipelineBackend> backend_;
};

}  // namespace tarn
