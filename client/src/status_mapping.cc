#include "client/src/status_mapping.h"

#include <string_view>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "tarn/error.h"

namespace tarn::internal {
namespace {

absl::StatusCode CodeFrom(int code) {
  return code >= 1 && code <= 16 ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown;
}

void AttachDetails(const google::rpc::Status& from, absl::Status* to) {
  for (const auto& detail : from.details()) {
    to->SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
}

// gRPC says of a call where it went: the address of the peer once a connection took it, and what
// the channel was made for until then. Channels are made for targets that begin with one of these
// schemes (see channel.cc), addresses never do.
bool WasNeverSent(const grpc::ClientContext& context) {
  const std::string peer = context.peer();
  return peer.rfind("dns:", 0) == 0 || peer.rfind("unix:///", 0) == 0 || peer == "unknown";
}

}  // namespace

absl::Status FromProto(const google::rpc::Status& status) {
  if (status.code() == 0) return absl::OkStatus();
  absl::Status result(CodeFrom(status.code()), status.message());
  AttachDetails(status, &result);
  return result;
}

absl::Status FromCall(const grpc::Status& status, const grpc::ClientContext& context) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(CodeFrom(status.error_code()), status.error_message());
  google::rpc::Status details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details())) {
    AttachDetails(details, &result);
  }
  if (result.code() == absl::StatusCode::kUnavailable && WasNeverSent(context)) {
    return NotConnected(result);
  }
  return result;
}

absl::Status NotConnected(const absl::Status& cause) {
  return MakeError(absl::StatusCode::kUnavailable, Reason::kNotConnected,
                   absl::StrCat("cannot connect: ", cause.message()));
}

absl::Status OutcomeUnknown(const absl::Status& cause) {
  return MakeError(absl::StatusCode::kUnknown, Reason::kOutcomeUnknown,
                   absl::StrCat("it is not known whether this was done: ", cause.message()));
}

absl::Status WithContext(const absl::Status& status, const std::string& context) {
  absl::Status result(status.code(), absl::StrCat(context, ": ", status.message()));
  status.ForEachPayload([&result](absl::string_view url, const absl::Cord& payload) {
    result.SetPayload(url, payload);
  });
  return result;
}

}  // namespace tarn::internal
