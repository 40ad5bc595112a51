#include "server/rpc/pipeline_handler.h"

#include <utility>

#include "server/rpc/count_error.h"
#include "server/rpc/errors.h"
#include "storage/base/error.h"
#include "tarn/v1/state.pb.h"

namespace tarn::server {
namespace {

// What a slot may keep the memory of for its next batch. Larger batches are rare, and their memory
// would be multiplied by the slots of all streams.
constexpr size_t kKeptOperations = 512;

EncodedMessage EncodeFailure(uint64_t batch_id, const google::rpc::Status& error) {
  tarn::v1::PipelineResponse response;
  response.set_batch_id(batch_id);
  *response.mutable_status() = error;
  return Encode(response);
}

}  // namespace

PipelineHandler::PipelineHandler(Gate& gate, Counters& counters, const ServerLimits& limits,
                                 Stream& stream)
    : gate_(gate), counters_(counters), limits_(limits), stream_(stream) {
  counters_.AddPipelines(1);
}

PipelineHandler::~PipelineHandler() { counters_.AddPipelines(-1); }

void PipelineHandler::Start() {
  store_ = gate_.store();
  {
    absl::MutexLock lock(&mutex_);
    if (store_ == nullptr) End(Ending::kDraining);
    if (!TakeWheel()) return;
  }
  Drive();
}

void PipelineHandler::OnRead(Outcome outcome) {
  Slot* slot = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    if (outcome == Outcome::kFailed) End(Ending::kHalfClosed);
    if (ending_ == Ending::kNone) {
      slot = reading_;
      preparing_ = true;
      ++unanswered_;
    } else {  // A batch that arrives while draining is neither run nor answered.
      Release(std::exchange(reading_, nullptr));
      if (!TakeWheel()) return;
    }
  }
  slot != nullptr ? Prepare(slot) : Drive();
}

std::optional<google::rpc::Status> PipelineHandler::Understand(Slot* slot) {
  if (slot->view.Parse(slot->request.view()))
    return slot->work.Prepare(slot->view, store_->limits());
  return ToWire(base::MakeError(absl::StatusCode::kInvalidArgument, base::Reason::kInvalidRequest,
                                "the batch is not a well-formed message"));
}

void PipelineHandler::Prepare(Slot* slot) {
  const auto error = Understand(slot);
  const bool to_run = !error && !slot->work.Empty();
  if (error) Refuse(slot, *error);
  if (!error && !to_run) SetAnswer(slot, storage::BatchResult());
  slot->read_only = slot->work.ReadOnly();
  {
    absl::MutexLock lock(&mutex_);
    preparing_ = false;
    reading_ = nullptr;
    request_bytes_ += slot->request.size();
    if (to_run) {
      next_ = slot;
    } else {
      Answered(slot);
    }
    if (!TakeWheel()) return;
  }
  Drive();
}

void PipelineHandler::OnWritten(Outcome outcome) {
  {
    absl::MutexLock lock(&mutex_);
    if (outcome == Outcome::kFailed) End(Ending::kBroken);
    Slot* slot = std::exchange(writing_, nullptr);
    response_bytes_ -= slot->response.size();
    Forget(slot);
    if (!TakeWheel()) return;
  }
  Drive();
}

void PipelineHandler::OnCancelled() {
  {
    absl::MutexLock lock(&mutex_);
    End(Ending::kBroken);
    if (!TakeWheel()) return;
  }
  Drive();
}

void PipelineHandler::OnDrain() {
  {
    absl::MutexLock lock(&mutex_);
    End(Ending::kDraining);
    if (!TakeWheel()) return;
  }
  Drive();
}

void PipelineHandler::End(Ending ending) {
  if (ending_ < ending) ending_ = ending;
}

bool PipelineHandler::TakeWheel() {
  if (driven_ || finished_) return false;
  driven_ = true;
  return true;
}

void PipelineHandler::Drive() {
  while (true) {
    Step step;
    Ending ending = Ending::kNone;
    {
      absl::MutexLock lock(&mutex_);
      step = Decide();
      ending = ending_;
      driven_ = !step.Nothing();
    }
    if (step.finish)
      return Finish(ending);  // The last thing done here: the handler may be gone when it returns.
    if (step.Nothing()) return;
    // The next batch is asked for first, so that another thread can take it in meanwhile. It cannot
    // overtake: only the driver runs batches.
    if (step.read != nullptr) stream_.Read(step.read->request);
    if (step.run != nullptr) Run(step.run);
    if (step.write != nullptr) stream_.Write(step.write->response);
  }
}

PipelineHandler::Step PipelineHandler::Decide() {
  Step step;
  step.run = DecideRun();
  step.write = DecideWrite();
  step.read = DecideRead(step);
  step.finish = step.Nothing() && DecideFinish();
  if (step.finish) finished_ = true;
  return step;
}

PipelineHandler::Slot* PipelineHandler::DecideRun() {
  if (next_ == nullptr) return nullptr;
  if (ending_ == Ending::kDraining || ending_ == Ending::kBroken) {
    Forget(std::exchange(next_, nullptr));
    return nullptr;
  }
  if (!next_->read_only && running_reads_ > 0) return nullptr;
  next_->read_order =
      running_writes_ > 0 ? storage::ReadOrder::kSubmitted : storage::ReadOrder::kCommitted;
  ++(next_->read_only ? running_reads_ : running_writes_);
  return std::exchange(next_, nullptr);
}

PipelineHandler::Slot* PipelineHandler::DecideWrite() {
  if (ending_ == Ending::kBroken) {
    for (Slot* slot : std::exchange(ready_, {})) Forget(slot);
  }
  if (writing_ != nullptr || ready_.empty()) return nullptr;
  writing_ = ready_.front();
  ready_.pop_front();
  return writing_;
}

// A stream that has the server for itself reads while it works. Among others, each turns to its
// next batch when the answer is out: there is always another to work on, and it costs a little
// less.
bool PipelineHandler::MayReadAhead(const Step& step) const {
  if (counters_.pipelines() <= 1) return true;
  if (step.run != nullptr) return false;  // Perhaps it completes at once.
  return writing_ == nullptr || running_reads_ + running_writes_ > 0;
}

PipelineHandler::Slot* PipelineHandler::DecideRead(const Step& step) {
  const bool room = unanswered_ < limits_.max_pipeline_batches &&
                    request_bytes_ < limits_.max_pipeline_bytes &&
                    response_bytes_ < limits_.max_pipeline_bytes;
  if (ending_ != Ending::kNone || reading_ != nullptr || next_ != nullptr || !room ||
      !MayReadAhead(step))
    return nullptr;
  reading_ = Acquire();
  return reading_;
}

bool PipelineHandler::DecideFinish() const {
  const bool idle = !preparing_ && next_ == nullptr && ready_.empty() && writing_ == nullptr &&
                    running_reads_ == 0 && running_writes_ == 0;
  return ending_ != Ending::kNone && idle && !finished_;
}

void PipelineHandler::Run(Slot* slot) {
  store_->Run(slot->work.ToRun(slot->read_order, &stream_),
              [this, slot](const storage::BatchResult& result) { Completed(slot, result); });
}

void PipelineHandler::Completed(Slot* slot, const storage::BatchResult& result) {
  SetAnswer(slot, result);
  {
    absl::MutexLock lock(&mutex_);
    --(slot->read_only ? running_reads_ : running_writes_);
    Answered(slot);
    if (!TakeWheel()) return;
  }
  Drive();
}

void PipelineHandler::Refuse(Slot* slot, const google::rpc::Status& error) {
  CountError(ReasonOf(error), counters_);
  slot->response = EncodeFailure(slot->view.batch_id(), error);
}

void PipelineHandler::SetAnswer(Slot* slot, const storage::BatchResult& result) {
  counters_.AddBatch(slot->work.Tally(result));
  if (!result.status.ok()) CountError(ReasonToTell(result.status), counters_);
  slot->response = slot->work.Answer(result, store_->limits(), slot->view.batch_id());
}

void PipelineHandler::Answered(Slot* slot) {
  response_bytes_ += slot->response.size();
  ready_.push_back(slot);
}

void PipelineHandler::Finish(Ending ending) {
  if (ending != Ending::kDraining) return stream_.Finish();
  stream_.Fail(ToWire(gate_.Refusal()));
}

PipelineHandler::Slot* PipelineHandler::Acquire() {
  if (free_.empty()) {
    slots_.push_back(std::make_unique<Slot>());
    return slots_.back().get();
  }
  Slot* slot = free_.back();
  free_.pop_back();
  return slot;
}

void PipelineHandler::Forget(Slot* slot) {
  --unanswered_;
  request_bytes_ -= slot->request.size();
  Release(slot);
}

void PipelineHandler::Release(Slot* slot) {
  if (slot->view.operations().size() > kKeptOperations) *slot = Slot();
  slot->request = {};
  slot->response = {};
  free_.push_back(slot);
}

}  // namespace tarn::server
