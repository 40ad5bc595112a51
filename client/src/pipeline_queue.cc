#include "client/src/pipeline_queue.h"

#include <algorithm>
#include <utility>

#include "client/src/convert.h"

namespace tarn::internal {
namespace {

// From this many unanswered messages on, one that is not full waits: two keep the server and the
// wire busy at once.
constexpr size_t kEagerMessages = 2;

bool WritesKey(const PipelineMessage& message, const std::string& key, int from) {
  const auto& operations = message.request.operations();
  return std::any_of(
      operations.begin() + from, operations.end(),
      [&key](const v1::Operation& other) { return !other.has_get() && other.key() == key; });
}

}  // namespace

size_t SizeOf(const Operation& operation) { return operation.key.size() + operation.value.size(); }

size_t SizeOf(const Batch& batch) {
  size_t bytes = 0;
  for (const Operation& operation : batch.operations()) bytes += SizeOf(operation);
  return bytes;
}

std::unique_ptr<PipelineMessage> MakeMessage(const std::string& ns) {
  auto message = std::make_unique<PipelineMessage>();
  message->request.set_namespace_(ns);
  message->request.set_mode(v1::BATCH_MODE_INDEPENDENT);
  return message;
}

void MoveOperation(PipelineMessage& from, int index, PipelineMessage& to) {
  auto& callback = from.operation_callbacks[static_cast<size_t>(index)];
  v1::Operation* const operation = from.request.mutable_operations(index);
  const size_t bytes = operation->key().size() + operation->put().value().size() +
                       operation->append().suffix().size();
  from.bytes -= bytes;
  to.bytes += bytes;
  ++from.moved;
  to.reads_only &= operation->has_get();
  to.wants_id |= from.wants_id && !operation->has_get();
  // The key stays behind too: MaySendAgain looks at it.
  *to.request.add_operations() = *operation;
  to.operation_callbacks.push_back(std::exchange(callback, nullptr));
}

std::unique_ptr<PipelineMessage> SplitReads(PipelineMessage& message) {
  auto reads = MakeMessage(message.request.namespace_());
  for (int i = 0; i < message.request.operations_size(); ++i) {
    const bool here = message.operation_callbacks[static_cast<size_t>(i)] != nullptr;
    if (here && message.request.operations(i).has_get()) MoveOperation(message, i, *reads);
  }
  return reads->operations() == 0 ? nullptr : std::move(reads);
}

void TakeIdAway(PipelineMessage& message) {
  message.request.clear_client_id();
  message.request.clear_request_id();
  message.sendings = 0;
}

void Clear(PipelineMessage& message) {
  // Cleared operations keep the memory of their keys.
  message.request.clear_operations();
  message.operation_callbacks.clear();
  message.bytes = 0;
  message.moved = 0;
  message.sealed = false;
  message.reads_only = true;
  message.wants_id = false;
  TakeIdAway(message);
}

std::unique_ptr<PipelineMessage> MakeBatchMessage(const std::string& ns, Batch batch,
                                                  Callback<BatchResult> callback) {
  auto message = std::make_unique<PipelineMessage>();
  message->bytes = SizeOf(batch);
  message->sealed = true;
  message->reads_only = std::ranges::all_of(batch.operations(), &Operation::is_read);
  message->wants_id = NeedsRequestId(batch);
  message->batch_callback = std::move(callback);
  message->request.set_namespace_(ns);
  message->request.set_mode(ToProto(batch.mode()));
  message->request.mutable_operations()->Reserve(static_cast<int>(batch.size()));
  for (Operation& operation : std::move(batch).operations()) {
    FillOperation(std::move(operation), message->request.add_operations());
  }
  return message;
}

PipelineQueue::PipelineQueue(std::string ns, const PipelineOptions& options, WriteFence fence,
                             NextId next_id)
    : ns_(std::move(ns)),
      fence_(std::move(fence)),
      options_(options),
      next_id_(std::move(next_id)) {}

bool PipelineQueue::HasRoom(size_t operations, size_t bytes) const {
  if (pending_operations_ == 0) return true;
  return pending_operations_ + operations <= options_.max_pending_operations &&
         pending_bytes_ + bytes <= options_.max_pending_bytes;
}

void PipelineQueue::Add(Operation operation, Callback<OperationResult> callback) {
  const size_t bytes = SizeOf(operation);
  PipelineMessage& message = Tail(bytes);
  message.bytes += bytes;
  message.reads_only &= operation.is_read();
  message.wants_id |= NeedsRequestId(operation.kind, operation.precondition.kind());
  message.operation_callbacks.push_back(std::move(callback));
  FillOperation(std::move(operation), message.request.add_operations());
  ++pending_operations_;
  pending_bytes_ += bytes;
}

void PipelineQueue::Add(std::unique_ptr<PipelineMessage> batch) {
  pending_operations_ += batch->operations();
  pending_bytes_ += batch->bytes;
  waiting_.push_back(std::move(batch));
}

PipelineMessage& PipelineQueue::Tail(size_t bytes) {
  const bool fits = !waiting_.empty() && !waiting_.back()->sealed && !IsFull(*waiting_.back()) &&
                    waiting_.back()->bytes + bytes <= options_.max_message_bytes;
  if (!fits) waiting_.push_back(NewMessage());
  return *waiting_.back();
}

bool PipelineQueue::IsFull(const PipelineMessage& message) const {
  return message.operations() >= options_.max_message_operations ||
         message.bytes >= options_.max_message_bytes;
}

std::unique_ptr<PipelineMessage> PipelineQueue::NewMessage() {
  if (spare_.empty()) return MakeMessage(ns_);
  std::unique_ptr<PipelineMessage> message = std::move(spare_.back());
  spare_.pop_back();
  return message;
}

bool PipelineQueue::GiveId(PipelineMessage& message) const {
  const std::optional<RequestId> id = next_id_();
  if (!id) return false;
  message.request.set_client_id(id->client);
  message.request.set_request_id(id->request);
  return true;
}

const PipelineMessage* PipelineQueue::NextToSend() {
  starved_ = false;
  if (waiting_.empty() || unanswered_count_ >= options_.max_unanswered_messages) return nullptr;
  const PipelineMessage& front = *waiting_.front();
  const bool may_grow = waiting_.size() == 1 && !front.sealed && !IsFull(front);
  if (may_grow && unanswered_count_ >= kEagerMessages) return nullptr;
  starved_ = front.wants_id && !front.has_id() && !GiveId(*waiting_.front());
  if (starved_) return nullptr;
  unanswered_.push_back(std::move(waiting_.front()));
  waiting_.pop_front();
  ++unanswered_count_;
  ++unanswered_.back()->sendings;
  unanswered_.back()->request.set_batch_id(first_unanswered_ + unanswered_.size() - 1);
  SetFence(fence_, &unanswered_.back()->request);
  return unanswered_.back().get();
}

std::unique_ptr<PipelineMessage> PipelineQueue::TakeAnswered(uint64_t id) {
  if (id < first_unanswered_ || id - first_unanswered_ >= unanswered_.size()) return nullptr;
  std::unique_ptr<PipelineMessage> message = std::move(unanswered_[id - first_unanswered_]);
  if (message == nullptr) return nullptr;
  --unanswered_count_;
  last_answered_ = std::max(last_answered_, id);
  while (!unanswered_.empty() && unanswered_.front() == nullptr) {
    unanswered_.pop_front();
    ++first_unanswered_;
  }
  return message;
}

bool PipelineQueue::MaySendAgain(const PipelineMessage& message, int index) const {
  const uint64_t id = message.request.batch_id();
  const std::string& key = message.request.operations(index).key();
  if (last_answered_ > id || WritesKey(message, key, index + 1)) return false;
  return std::none_of(unanswered_.begin(), unanswered_.end(), [&](const auto& other) {
    return other != nullptr && other->request.batch_id() > id && WritesKey(*other, key, 0);
  });
}

PipelineMessages PipelineQueue::TakeUnanswered() {
  PipelineMessages taken;
  for (auto& message : unanswered_) {
    if (message != nullptr) taken.push_back(std::move(message));
  }
  first_unanswered_ += unanswered_.size();
  unanswered_.clear();
  unanswered_count_ = 0;
  return taken;
}

PipelineMessages PipelineQueue::TakeWaiting() {
  PipelineMessages taken;
  taken.reserve(waiting_.size());
  for (auto& message : waiting_) taken.push_back(std::move(message));
  waiting_.clear();
  return taken;
}

void PipelineQueue::PutBack(PipelineMessages messages) {
  for (auto message = messages.rbegin(); message != messages.rend(); ++message) {
    (*message)->sealed = true;
    waiting_.push_front(std::move(*message));
  }
}

void PipelineQueue::Settle(const PipelineMessage& message) {
  pending_operations_ -= message.operations() - message.moved;
  pending_bytes_ -= message.bytes;
}

void PipelineQueue::Recycle(std::unique_ptr<PipelineMessage> message) {
  if (spare_.size() < options_.max_unanswered_messages) spare_.push_back(std::move(message));
}

}  // namespace tarn::internal
