// One call of StateService.Scan.
#pragma once

#include <atomic>
#include <memory>

#include "server/metrics/counters.h"
#include "server/rpc/call.h"
#include "server/rpc/encoded_message.h"
#include "server/rpc/gate.h"
#include "server/rpc/server_limits.h"
#include "storage/store.h"
#include "tarn/v1/state.pb.h"

namespace tarn::server {

// Sends chunk after chunk, one at a time, so the caller's flow control reaches the engine. While
// other calls are under way, the next chunk is read when the one before has gone out: every chunk
// is an event of its own that takes its turn among them. A scan that is alone reads it meanwhile.
class ScanHandler final : public StreamHandler {
 public:
  ScanHandler(Gate& gate, Counters& counters, const ServerLimits& limits,
              const EncodedMessage& request, ResponseStream<EncodedMessage>& stream);

  void Start() override;
  void OnWritten(Outcome outcome) override;
  void OnCancelled() override {}  // The write under way, or the next, fails.
  void OnDrain() override {}  // It was accepted, so it may end; the drain's deadline cancels it.

 private:
  // What a chunk waits for before it is sent.
  static constexpr int kToMeet =
      3;  // Next has returned, Next has completed, the one before is out.

  void Opened(absl::StatusOr<std::unique_ptr<storage::Scan>> scan);
  void Advance();
  void Take(const absl::Status& status, const storage::ScanChunk& chunk);
  void Meet();
  void Proceed();
  void Send();
  bool IsAlone() const;
  void Fail(const absl::Status& status);

  Gate& gate_;
  Counters& counters_;
  const ServerLimits limits_;
  const EncodedMessage encoded_request_;
  ResponseStream<EncodedMessage>& stream_;

  // Handed from one step to the next; no two steps run at the same time.
  tarn::v1::ScanRequest request_;
  std::unique_ptr<storage::Scan> scan_;
  EncodedMessage writing_;
  bool last_ = false;  // `writing_` is the last chunk.

  // Of the chunk behind that.
  bool have_next_ = false;  // It has been read.
  EncodedMessage next_;
  absl::Status status_;
  bool next_is_last_ = false;
  uint64_t read_entries_ = 0;

  std::atomic<bool> broken_{false};  // A write has failed.

  // How many of kToMeet have come. What follows belongs to whoever comes last, because it may
  // destroy what the others still stand on.
  std::atomic<int> met_{0};
};

}  // namespace tarn::server
