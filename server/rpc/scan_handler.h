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

// Sends chunk after chunk: the next one is read when the one before has gone out, so the caller's
// flow control reaches the engine, and every chunk is an event of its own that takes its turn among
// other calls.
class ScanHandler final : public StreamHandler {
 public:
  ScanHandler(Gate& gate, Counters& counters, const ServerLimits& limits,
              const EncodedMessage& request, ResponseStream<EncodedMessage>& stream);

  void Start() override;
  void OnWritten(Outcome outcome) override;
  void OnCancelled() override {}  // The write under way, or the next, fails.
  void OnDrain() override {}  // It was accepted, so it may end; the drain's deadline cancels it.

 private:
  void Opened(absl::StatusOr<std::unique_ptr<storage::Scan>> scan);
  void Advance();
  void Take(const absl::Status& status, const storage::ScanChunk& chunk);
  void Meet();
  void Send();
  void Fail(const absl::Status& status);

  Gate& gate_;
  Counters& counters_;
  const ServerLimits limits_;
  const EncodedMessage encoded_request_;
  ResponseStream<EncodedMessage>& stream_;

  // Handed from one step to the next; no two steps run at the same time.
  tarn::v1::ScanRequest request_;
  std::unique_ptr<storage::Scan> scan_;
  EncodedMessage response_;
  absl::Status status_;
  uint64_t sent_entries_ = 0;
  bool last_ = false;

  // How many of the two ends of a step have been reached: the return of the call that began it, and
  // its completion. What follows belongs to whoever comes second, because it may destroy what the
  // first still stands on.
  std::atomic<int> met_{0};
};

}  // namespace tarn::server
