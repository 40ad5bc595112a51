// A streaming call that is not to be served.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "server/rpc/call.h"
#include "server/rpc/checkpoint_messages.h"

namespace tarn::server {

// Ends the call at once.
class RefusedStream final : public StreamHandler {
 public:
  RefusedStream(StreamCall& call, const absl::Status& why)
      : call_(call), error_(ToCheckpointError(why)) {}

  void Start() override { call_.Fail(error_); }
  void OnCancelled() override {}
  void OnDrain() override {}

 private:
  StreamCall& call_;
  const google::rpc::Status error_;
};

inline std::unique_ptr<StreamHandler> Refused(StreamCall& call, const absl::Status& why) {
  return std::make_unique<RefusedStream>(call, why);
}

}  // namespace tarn::server
