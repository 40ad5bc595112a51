// A streaming call that is not to be served.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "server/rpc/call.h"
#include "server/rpc/checkpoint_messages.h"

namespace tarn::server {

// Ends the call at once.
template <typename Stream>
class RefusedStream final : public StreamHandler {
 public:
  RefusedStream(Stream& stream, const absl::Status& why)
      : stream_(stream), error_(ToCheckpointError(why)) {}

  void Start() override { stream_.Fail(error_); }
  void OnWritten(Outcome /*outcome*/) override {}
  void OnCancelled() override {}
  void OnDrain() override {}

 private:
  Stream& stream_;
  const google::rpc::Status error_;
};

template <typename Stream>
std::unique_ptr<StreamHandler> Refused(Stream& stream, const absl::Status& why) {
  return std::make_unique<RefusedStream<Stream>>(stream, why);
}

}  // namespace tarn::server
