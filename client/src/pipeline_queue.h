// What a pipeline holds: messages that wait to be sent, and messages that wait for their answer.
// Knows nothing of streams and threads; its owner guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/src/request_ids.h"
#include "tarn/operation.h"
#include "tarn/pipeline.h"
#include "tarn/results.h"
#include "tarn/v1/state.pb.h"

namespace tarn::internal {

// One message of the stream: single operations that were gathered, or one batch.
struct PipelineMessage {
  v1::PipelineRequest request;
  std::vector<Callback<OperationResult>> operation_callbacks;  // One for each; empty for a batch.
  Callback<BatchResult> batch_callback;
  size_t bytes = 0;     // Of keys and values.
  size_t moved = 0;     // Operations that are in another message now; their callbacks are empty.
  bool sealed = false;  // Nothing may be added.
  bool reads_only = true;
  bool wants_id = false;  // It has a write that is not safe to repeat without one.
  int sendings = 0;

  bool has_id() const { return request.client_id() != 0; }
  bool is_batch() const { return batch_callback != nullptr; }
  size_t operations() const { return static_cast<size_t>(request.operations_size()); }
};

using PipelineMessages = std::vector<std::unique_ptr<PipelineMessage>>;

// The bytes of keys and values.
size_t SizeOf(const Operation& operation);
size_t SizeOf(const Batch& batch);

// An empty message for gathering.
std::unique_ptr<PipelineMessage> MakeMessage(const std::string& ns);

// As if it had never been sent: for a client that the server does not know any more.
void TakeIdAway(PipelineMessage& message);

// Moves an operation with its callback to the end of another message.
void MoveOperation(PipelineMessage& from, int index, PipelineMessage& to);

// Moves the reads of a gathered message to a new one; null if it has none.
std::unique_ptr<PipelineMessage> SplitReads(PipelineMessage& message);

// Empties a gathered message, but for the memory that it can use again.
void Clear(PipelineMessage& message);

// A message that carries a batch.
std::unique_ptr<PipelineMessage> MakeBatchMessage(const std::string& ns, Batch batch,
                                                  Callback<BatchResult> callback);

class PipelineQueue {
 public:
  // Gives the next id; nothing when there is none yet.
  using NextId = std::function<std::optional<RequestId>()>;

  PipelineQueue(
      std::string ns, const PipelineOptions& options, WriteFence fence = {},
      NextId next_id = [] { return RequestId(); });

  // Whether so much more may become pending. What is larger than the limits alone is let in when
  // nothing is pending.
  bool HasRoom(size_t operations, size_t bytes) const;

  void Add(Operation operation, Callback<OperationResult> callback);
  void Add(std::unique_ptr<PipelineMessage> batch);

  // The next message to send, which then is unanswered and has its ids; null if there is none, or
  // it should wait until it is full, or something has been answered, or there is a request id for
  // it (`starved`). It stays where it is until it is taken and recycled.
  const PipelineMessage* NextToSend();

  // The unanswered message with this id; null if there is none.
  std::unique_ptr<PipelineMessage> TakeAnswered(uint64_t id);

  // Whether the operation of a message that was just taken may be sent again although later
  // messages were sent: no write of its key that was sent after it can have been done.
  bool MaySendAgain(const PipelineMessage& message, int index) const;

  // All unanswered, or all waiting messages, in order.
  PipelineMessages TakeUnanswered();
  PipelineMessages TakeWaiting();

  // Puts messages before all that wait, in their order; they remain pending.
  void PutBack(PipelineMessages messages);

  // What is in a message that was taken is not pending any more.
  void Settle(const PipelineMessage& message);

  // Keeps a message, which was cleared, to use it again.
  void Recycle(std::unique_ptr<PipelineMessage> message);

  size_t pending_operations() const { return pending_operations_; }
  size_t unanswered_messages() const { return unanswered_count_; }
  bool has_waiting() const { return !waiting_.empty(); }
  bool starved() const { return starved_; }

 private:
  PipelineMessage& Tail(size_t bytes);
  bool IsFull(const PipelineMessage& message) const;
  std::unique_ptr<PipelineMessage> NewMessage();
  bool GiveId(PipelineMessage& message) const;

  const std::string ns_;
  const WriteFence fence_;
  const PipelineOptions options_;
  const NextId next_id_;
  bool starved_ = false;  // NextToSend had no request id to give.
  std::deque<std::unique_ptr<PipelineMessage>> waiting_;
  // By id, from first_unanswered_ on; null where the answer has come already.
  std::deque<std::unique_ptr<PipelineMessage>> unanswered_;
  uint64_t first_unanswered_ = 1;
  uint64_t last_answered_ = 0;  // The highest id.
  size_t unanswered_count_ = 0;
  size_t pending_operations_ = 0;
  size_t pending_bytes_ = 0;
  PipelineMessages spare_;
};

}  // namespace tarn::internal
