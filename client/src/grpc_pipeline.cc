#include "client/src/grpc_pipeline.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/src/status_mapping.h"
#include "tarn/error.h"

namespace tarn::internal {
namespace {

// What a message holds besides keys and values: an upper bound for each operation, and for itself.
constexpr size_t kOperationOverheadBytes = 64;
constexpr size_t kMessageOverheadBytes = 128;

constexpr std::chrono::seconds kRegistrationTimeout{5};

absl::Status Closed() {
  return MakeError(absl::StatusCode::kCancelled, Reason::kPipelineClosed,
                   "the pipeline was closed");
}

absl::Status TooLarge(size_t bytes, size_t limit) {
  return MakeError(absl::StatusCode::kInvalidArgument, Reason::kBatchTooLarge,
                   absl::StrCat("a message of about ", bytes, " bytes is above the limit of ",
                                limit, " (PipelineOptions::max_request_bytes); split it"));
}

size_t MessageSize(size_t operations, size_t bytes) {
  return bytes + operations * kOperationOverheadBytes + kMessageOverheadBytes;
}

bool MayTryAgain(const absl::Status& status) {
  return IsTransient(status) || IsOutcomeUnknown(status);
}

bool IsTooLargeTogether(const v1::OperationResult& result) {
  return result.has_status() && ReasonOf(FromProto(result.status())) == Reason::kResponseTooLarge;
}

bool IsForgotten(const v1::PipelineResponse& response) {
  return response.has_status() && ReasonOf(FromProto(response.status())) == Reason::kUnknownClient;
}

absl::Time ToDeadline(std::chrono::milliseconds timeout) {
  return timeout == kNoTimeout ? absl::InfiniteFuture() : absl::Now() + absl::FromChrono(timeout);
}

}  // namespace

PipelineCore::PipelineCore(std::shared_ptr<v1::StateService::Stub> stub,
                           std::shared_ptr<RequestIds> ids, PipelineParams params, World world)
    : stub_(std::move(stub)),
      ids_(std::move(ids)),
      ns_(params.ns),
      options_(std::move(params.options)),
      world_(std::move(world)),
      queue_(params.ns, options_, std::move(params.fence),
             [ids = ids_]() -> std::optional<RequestId> {
               return ids == nullptr ? RequestId() : ids->TryNext();
             }) {}

PipelineCore::~PipelineCore() {
  if (watch_ != nullptr) watch_->Cancel();
}

// --- adding
// -----------------------------------------------------------------------------------------------------

absl::Status PipelineCore::Admit(size_t operations, size_t bytes) {
  const size_t size = MessageSize(operations, bytes);
  if (size > options_.max_request_bytes) return TooLarge(size, options_.max_request_bytes);
  while (true) {
    if (closed_) return Closed();
    if (queue_.HasRoom(operations, bytes)) return absl::OkStatus();
    if (options_.when_full == WhenFull::kRefuse || InCallback()) {
      return MakeError(absl::StatusCode::kResourceExhausted, Reason::kPipelineFull,
                       absl::StrCat("the pipeline is full: ", queue_.pending_operations(),
                                    " operations are pending"));
    }
    changed_.Wait(&mutex_);
  }
}

absl::Status PipelineCore::Add(Operation operation, Callback<OperationResult> callback) {
  const size_t bytes = SizeOf(operation);
  Step step;
  {
    absl::MutexLock lock(&mutex_);
    const absl::Status admitted = Admit(1, bytes);
    if (!admitted.ok()) return admitted;
    queue_.Add(std::move(operation), std::move(callback));
    step = NextStep();
  }
  Perform(step);
  return absl::OkStatus();
}

absl::Status PipelineCore::Add(Batch batch, Callback<BatchResult> callback) {
  if (batch.empty()) {
    return MakeError(absl::StatusCode::kInvalidArgument, Reason::kInvalidRequest,
                     "the batch has no operations");
  }
  auto message = MakeBatchMessage(ns_, std::move(batch), std::move(callback));
  Step step;
  {
    absl::MutexLock lock(&mutex_);
    const absl::Status admitted = Admit(message->operations(), message->bytes);
    if (!admitted.ok()) return admitted;
    queue_.Add(std::move(message));
    step = NextStep();
  }
  Perform(step);
  return absl::OkStatus();
}

// --- sending
// ----------------------------------------------------------------------------------------------------

PipelineCore::Step PipelineCore::NextStep() {
  if (phase_ == Phase::kIdle && queue_.has_waiting()) {
    phase_ = Phase::kStreaming;
    writing_ = true;
    half_closed_ = broken_ = read_ended_ = stalled_ = false;
    no_id_ = absl::OkStatus();
    return {.kind = Step::Kind::kOpen};
  }
  if (stream_ == nullptr || writing_ || broken_ || half_closed_) return {};
  if (const PipelineMessage* message = queue_.NextToSend()) return WriteStep(*message);
  if (queue_.starved() && !asking_for_id_) {
    asking_for_id_ = true;
    return {.kind = Step::Kind::kAskForId};
  }
  if (!closed_ || queue_.pending_operations() > 0) return {};
  half_closed_ = writing_ = true;
  last_progress_ = world_.now();
  WatchAnswers(std::chrono::nanoseconds(0));
  return {.kind = Step::Kind::kHalfClose, .stream = stream_};
}

PipelineCore::Step PipelineCore::WriteStep(const PipelineMessage& message) {
  writing_ = true;
  being_written_ = &message;
  if (queue_.unanswered_messages() == 1) last_progress_ = world_.now();
  WatchAnswers(std::chrono::nanoseconds(0));
  return {.kind = Step::Kind::kWrite, .stream = stream_, .message = &message};
}

void PipelineCore::Perform(const Step& step) {
  switch (step.kind) {
    case Step::Kind::kNothing:
      return;
    case Step::Kind::kOpen:
      return OpenStream();
    case Step::Kind::kWrite:
      return step.stream->Write(step.message->request);
    case Step::Kind::kHalfClose:
      return step.stream->HalfClose();
    case Step::Kind::kRelease:
      return step.stream->Release();
    case Step::Kind::kAskForId:
      return AskForId();
  }
}

// Without repetitions of its own: when it fails, the stream is given up, and that has its pauses.
void PipelineCore::AskForId() {
  const TimePoint deadline = world_.now() + kRegistrationTimeout;
  const auto make_retrier = [&](CallKind kind) {
    return Retrier(kind, std::make_unique<LimitedRetryPolicy>(0), options_.backoff_policy->Clone(),
                   deadline, world_.now);
  };
  ids_->Next({world_, deadline, kNoTimeout}, make_retrier,
             [weak = weak_from_this()](const absl::StatusOr<RequestId>& id) {
               if (const auto self = weak.lock()) self->OnId(id.status());
             });
}

void PipelineCore::OnId(const absl::Status& status) {
  Step step;
  std::shared_ptr<grpc::ClientContext> context;
  {
    absl::MutexLock lock(&mutex_);
    asking_for_id_ = false;
    if (status.ok()) {
      step = NextStep();
    } else if (stream_ != nullptr && !writing_) {
      no_id_ = status;
      context = context_;
    }  // Else whoever ends the write, or the start, asks again.
  }
  if (context != nullptr) context->TryCancel();
  Perform(step);
}

void PipelineCore::OpenStream() {
  auto* const stream = new PipelineStream(*stub_, shared_from_this());  // Deletes itself.
  {
    absl::MutexLock lock(&mutex_);
    stream_ = stream;
  }
  stream->Start();
  bool cancelled = false;
  {
    // Only now: a stream that is cancelled before it was started may never end.
    absl::MutexLock lock(&mutex_);
    context_ = stream->context();
    cancelled = cancelled_;
  }
  if (cancelled) stream->context()->TryCancel();
  Written();
}

PipelineCore::Step PipelineCore::WriteEnded() {
  writing_ = false;
  being_written_ = nullptr;
  if (read_ended_) return {.kind = Step::Kind::kRelease, .stream = stream_};
  return NextStep();
}

void PipelineCore::Written() {
  std::unique_ptr<PipelineMessage> answered;
  Step step;
  {
    absl::MutexLock lock(&mutex_);
    answered = std::move(answered_too_soon_);
    step = WriteEnded();
  }
  Perform(step);
}

void PipelineCore::WriteFailed() {
  {
    absl::MutexLock lock(&mutex_);
    broken_ = true;
  }
  Written();
}

// --- answers
// ----------------------------------------------------------------------------------------------------

void PipelineCore::Answered(v1::PipelineResponse& response) {
  std::vector<Delivery> delivery(1);
  {
    absl::MutexLock lock(&mutex_);
    delivery[0].message = queue_.TakeAnswered(response.batch_id());
    if (delivery[0].message == nullptr) return;  // Not asked, so nobody waits for it.
    last_progress_ = world_.now();
    retry_.reset();
    backoff_.reset();
    if (SendUnderNewId(delivery[0].message, response)) {
      delivery.clear();
    } else {
      ResendAlone(*delivery[0].message, response);
      delivery[0].response = &response;
    }
  }
  Deliver(std::move(delivery));
  Step step;
  {
    absl::MutexLock lock(&mutex_);
    step = NextStep();
  }
  Perform(step);
}

void PipelineCore::ResendAlone(PipelineMessage& message, const v1::PipelineResponse& response) {
  if (message.is_batch() || message.operations() < 2) return;
  PipelineMessages alone;
  for (int i = 0; i < std::min<int>(response.results_size(), message.request.operations_size());
       ++i) {
    if (!IsTooLargeTogether(response.results(i)) || !queue_.MaySendAgain(message, i)) continue;
    alone.push_back(MakeMessage(ns_));
    MoveOperation(message, i, *alone.back());
  }
  queue_.PutBack(std::move(alone));
}

// What was sent before, on another stream, may have been done then: its outcome is unknown.
bool PipelineCore::SendUnderNewId(std::unique_ptr<PipelineMessage>& message,
                                  const v1::PipelineResponse& response) {
  if (ids_ == nullptr || !IsForgotten(response)) return false;
  ids_->Forget(message->request.client_id());
  if (message->sendings != 1 || message.get() == being_written_) return false;
  TakeIdAway(*message);
  PipelineMessages again;
  again.push_back(std::move(message));
  queue_.PutBack(std::move(again));
  return true;
}

void PipelineCore::Deliver(std::vector<Delivery> deliveries) {
  for (Delivery& delivery : deliveries) {
    const std::thread::id before = callback_thread_.exchange(std::this_thread::get_id());
    delivery.CallBack();
    callback_thread_.store(before);  // A callback may cancel, and so call others.
    std::unique_ptr<PipelineMessage> message = std::move(delivery.message);
    {
      absl::MutexLock lock(&mutex_);
      queue_.Settle(*message);
      changed_.SignalAll();
      // gRPC is promised that a message stays until its write has ended, and the answer may be
      // faster.
      if (message.get() == being_written_) {
        answered_too_soon_ = std::move(message);
        continue;
      }
    }
    if (message->is_batch()) continue;
    Clear(*message);
    absl::MutexLock lock(&mutex_);
    queue_.Recycle(std::move(message));
  }
}

// --- the end of a stream
// ----------------------------------------------------------------------------------------

void PipelineCore::ReadEnded() {
  Step step;
  {
    absl::MutexLock lock(&mutex_);
    read_ended_ = broken_ = true;
    // Else WriteEnded releases it.
    if (!writing_) step = {.kind = Step::Kind::kRelease, .stream = stream_};
  }
  Perform(step);
}

void PipelineCore::Ended(const absl::Status& status) {
  absl::Status why;
  std::vector<Delivery> failed;
  {
    absl::MutexLock lock(&mutex_);
    why = WhyEnded(status);
    stream_ = nullptr;
    context_ = nullptr;
    failed = SortUnanswered(why);
  }
  // The phase stays as it is while callbacks run: with a new stream answers could come beside them.
  Deliver(std::move(failed));
  {
    absl::MutexLock lock(&mutex_);
    failed = PauseOrGiveUp(why);
    if (phase_ == Phase::kPausing) return;  // What comes next is the timer's, which may have begun.
  }
  Deliver(std::move(failed));
  Step step;
  {
    absl::MutexLock lock(&mutex_);
    phase_ = Phase::kIdle;
    changed_.SignalAll();
    step = NextStep();
  }
  Perform(step);
}

absl::Status PipelineCore::WhyEnded(const absl::Status& status) const {
  if (!no_id_.ok()) return no_id_;
  if (stalled_) {
    return absl::UnavailableError(
        absl::StrCat("the server answered nothing for ",
                     absl::FormatDuration(absl::FromChrono(options_.answer_timeout))));
  }
  return status.ok() ? absl::UnavailableError("the server ended the stream") : status;
}

std::vector<Delivery> PipelineCore::SortUnanswered(const absl::Status& status) {
  const bool nothing_done = IsTransient(status) && !cancelled_;
  const bool repeat_reads = MayTryAgain(status) && !cancelled_;
  std::vector<Delivery> failed;
  PipelineMessages again;
  for (auto& message : queue_.TakeUnanswered()) {
    std::unique_ptr<PipelineMessage> reads;
    if (nothing_done || message->reads_only || (message->has_id() && repeat_reads)) {
      reads = std::move(message);
    } else if (!message->is_batch()) {
      reads = SplitReads(*message);
    }
    if (message != nullptr) failed.push_back({std::move(message), OutcomeUnknown(status)});
    if (reads == nullptr) continue;
    if (repeat_reads) {
      again.push_back(std::move(reads));
    } else {
      failed.push_back({std::move(reads), cancelled_ ? Closed() : status});
    }
  }
  queue_.PutBack(std::move(again));
  return failed;
}

std::vector<Delivery> PipelineCore::FailWaiting(const absl::Status& status) {
  std::vector<Delivery> failed;
  for (auto& message : queue_.TakeWaiting()) failed.push_back({std::move(message), status});
  return failed;
}

std::vector<Delivery> PipelineCore::PauseOrGiveUp(const absl::Status& status) {
  if (!queue_.has_waiting()) return {};
  if (cancelled_) return FailWaiting(Closed());
  if (BeginPause(status)) return {};
  retry_.reset();
  backoff_.reset();
  return FailWaiting(IsOutcomeUnknown(status) ? NotConnected(status) : status);
}

bool PipelineCore::BeginPause(const absl::Status& status) {
  if (!MayTryAgain(status)) return false;
  if (retry_ == nullptr) {
    retry_ = options_.retry_policy->Clone();
    backoff_ = options_.backoff_policy->Clone();
  }
  if (!retry_->OnFailure(status)) return false;
  std::chrono::nanoseconds pause = backoff_->Next();
  if (const auto asked = RetryAfter(status))
    pause = std::max<std::chrono::nanoseconds>(pause, *asked);
  phase_ = Phase::kPausing;
  pause_ = world_.timers->After(pause, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->PauseEnded();
  });
  return true;
}

void PipelineCore::PauseEnded() {
  Step step;
  {
    absl::MutexLock lock(&mutex_);
    if (phase_ != Phase::kPausing) return;
    phase_ = Phase::kIdle;
    step = NextStep();
  }
  Perform(step);
}

// --- a silent server
// --------------------------------------------------------------------------------------------

void PipelineCore::WatchAnswers(std::chrono::nanoseconds already_silent) {
  if (watch_ != nullptr || options_.answer_timeout == kNoTimeout) return;
  watch_ =
      world_.timers->After(options_.answer_timeout - already_silent, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->CheckAnswers();
      });
}

bool PipelineCore::AwaitsServer() const {
  return stream_ != nullptr && (queue_.unanswered_messages() > 0 || half_closed_);
}

void PipelineCore::CheckAnswers() {
  std::shared_ptr<grpc::ClientContext> context;
  {
    absl::MutexLock lock(&mutex_);
    watch_ = nullptr;
    if (!AwaitsServer()) return;
    const std::chrono::nanoseconds silent = world_.now() - last_progress_;
    if (silent < options_.answer_timeout) return WatchAnswers(silent);
    stalled_ = true;
    context = context_;
  }
  context->TryCancel();
}

// --- the end of the pipeline
// ------------------------------------------------------------------------------------

absl::Status PipelineCore::Flush(std::chrono::milliseconds timeout) {
  if (InCallback())
    return absl::FailedPreconditionError("a pipeline's callback cannot wait for it");
  const absl::Time deadline = ToDeadline(timeout);
  absl::MutexLock lock(&mutex_);
  while (queue_.pending_operations() > 0) {
    if (changed_.WaitWithDeadline(&mutex_, deadline) && queue_.pending_operations() > 0) {
      return absl::DeadlineExceededError(
          absl::StrCat(queue_.pending_operations(), " operations are still pending"));
    }
  }
  return absl::OkStatus();
}

absl::Status PipelineCore::Close(std::chrono::milliseconds timeout) {
  if (InCallback())
    return absl::FailedPreconditionError("a pipeline's callback cannot wait for it");
  const absl::Time deadline = ToDeadline(timeout);
  Step step;
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    changed_.SignalAll();
    step = NextStep();
  }
  Perform(step);
  absl::MutexLock lock(&mutex_);
  while (!HasEnded()) {
    if (changed_.WaitWithDeadline(&mutex_, deadline) && !HasEnded()) {
      return absl::DeadlineExceededError(
          absl::StrCat(queue_.pending_operations(), " operations are still pending"));
    }
  }
  return absl::OkStatus();
}

void PipelineCore::Cancel() {
  std::vector<Delivery> failed;
  std::shared_ptr<grpc::ClientContext> context;
  {
    absl::MutexLock lock(&mutex_);
    closed_ = cancelled_ = true;
    changed_.SignalAll();
    context = context_;
    if (phase_ == Phase::kPausing) {
      pause_->Cancel();
      phase_ = Phase::kIdle;
      failed = FailWaiting(Closed());
    }
  }
  if (context != nullptr) context->TryCancel();
  Deliver(std::move(failed));
}

void PipelineCore::AwaitEnd() {
  absl::MutexLock lock(&mutex_);
  while (!HasEnded()) changed_.Wait(&mutex_);
}

}  // namespace tarn::internal
