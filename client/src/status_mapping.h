// Between what gRPC and the messages carry and absl::Status. An error keeps its google.rpc
// particulars as payloads, under their type URLs, serialised.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

namespace tarn::internal {

// The error inside a message.
absl::Status FromProto(const google::rpc::Status& status);

// The outcome of a call. Call it when the call has ended: it also looks at whether the request was
// ever given to a connection; if not, the error carries Reason::kNotConnected.
absl::Status FromCall(const grpc::Status& status, const grpc::ClientContext& context);

// Of a write that may or may not have been done. `cause` is what became of the attempt.
absl::Status OutcomeUnknown(const absl::Status& cause);

// The same error with `context` before its message.
absl::Status WithContext(const absl::Status& status, const std::string& context);

// The same, made by libtarn: no server was involved, and nothing was done.
absl::Status NotConnected(const absl::Status& cause);

}  // namespace tarn::internal
