// One call of StateService.Pipeline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/metrics/counters.h"
#include "server/rpc/batch_work.h"
#include "server/rpc/call.h"
#include "server/rpc/encoded_message.h"
#include "server/rpc/gate.h"
#include "server/rpc/pipeline_codec.h"
#include "server/rpc/server_limits.h"
#include "storage/store.h"

namespace tarn::server {

// Reads batches one after another, submits each before the next is read, and writes answers as they
// complete.
//
// Order on a key. The engine keeps the order of writes submitted by one caller; a batch that reads
// behind an unfinished write of this stream says so (ReadOrder::kSubmitted); a batch that writes
// behind an unfinished read waits for it here.
//
// Thread-safe as StreamHandler demands. Every event changes the bookkeeping under the mutex; then
// one thread at a time, the driver, decides what follows and does it with the mutex released.
// Whoever finds a driver at work leaves it to him.
class PipelineHandler final : public StreamHandler {
 public:
  using Stream = DuplexStream<EncodedMessage, EncodedMessage>;

  PipelineHandler(Gate& gate, Counters& counters, const ServerLimits& limits, Stream& stream);
  ~PipelineHandler() override;

  void Start() override;
  void OnRead(Outcome outcome) override;
  void OnWritten(Outcome outcome) override;
  void OnCancelled() override;
  void OnDrain() override;

 private:
  // A batch from its reading to the sending of its answer. Used again and again, and keeps its
  // memory.
  struct Slot {
    EncodedMessage request;
    EncodedMessage response;
    PipelineRequestView view;
    BatchWork work;
    bool read_only = false;
    storage::ReadOrder read_order = storage::ReadOrder::kCommitted;
  };

  // Why no more is read.
  enum class Ending : uint8_t {
    kNone,
    kHalfClosed,  // The caller has no more batches: answer what was read, then OK.
    kDraining,    // Answer what was begun, then UNAVAILABLE.
    kBroken,      // Nobody listens: let what was begun complete.
  };

  // What the driver does next.
  struct Step {
    Slot* run = nullptr;
    Slot* write = nullptr;
    Slot* read = nullptr;
    bool finish = false;

    bool Nothing() const {
      return run == nullptr && write == nullptr && read == nullptr && !finish;
    }
  };

  void Prepare(Slot* slot);
  std::optional<google::rpc::Status> Understand(Slot* slot);
  void Refuse(Slot* slot, const google::rpc::Status& error);
  void SetAnswer(Slot* slot, const storage::BatchResult& result);
  void Run(Slot* slot);
  void Completed(Slot* slot, const storage::BatchResult& result);

  // Whether the caller has become the driver. Then it calls Drive once it has released the mutex;
  // else it must not touch this any more, unless the transport is still calling it.
  bool TakeWheel() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Drive();
  void Finish(Ending ending);

  Step Decide() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Slot* DecideRun() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Slot* DecideWrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Slot* DecideRead(const Step& step) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayReadAhead(const Step& step) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool DecideFinish() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void End(Ending ending) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Slot* Acquire() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Answered(Slot* slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A slot that was counted as unanswered is not any more.
  void Forget(Slot* slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Release(Slot* slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Gate& gate_;
  Counters& counters_;
  const ServerLimits limits_;
  Stream& stream_;
  storage::Store* store_ = nullptr;  // Set once, by Start.

  absl::Mutex mutex_;
  bool driven_ ABSL_GUARDED_BY(mutex_) = false;
  Ending ending_ ABSL_GUARDED_BY(mutex_) = Ending::kNone;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;

  std::deque<std::unique_ptr<Slot>> slots_ ABSL_GUARDED_BY(mutex_);  // All there are.
  std::vector<Slot*> free_ ABSL_GUARDED_BY(mutex_);
  Slot* reading_ ABSL_GUARDED_BY(mutex_) =
      nullptr;  // From before Read until it is known what was read.
  Slot* next_ ABSL_GUARDED_BY(mutex_) = nullptr;     // Read, and to be run as soon as it may.
  std::deque<Slot*> ready_ ABSL_GUARDED_BY(mutex_);  // Answered, waiting to be written.
  Slot* writing_ ABSL_GUARDED_BY(mutex_) = nullptr;

  bool preparing_ ABSL_GUARDED_BY(mutex_) = false;    // OnRead is at work on `reading_`.
  size_t running_reads_ ABSL_GUARDED_BY(mutex_) = 0;  // Submitted, not completed, by what they do.
  size_t running_writes_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t unanswered_ ABSL_GUARDED_BY(mutex_) = 0;      // Read, answer not yet written.
  size_t request_bytes_ ABSL_GUARDED_BY(mutex_) = 0;   // Of the unanswered.
  size_t response_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // Of the answers not yet written.
};

}  // namespace tarn::server
