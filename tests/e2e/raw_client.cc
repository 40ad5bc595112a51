#include "tests/e2e/raw_client.h"

namespace tarn::testing {
namespace {

const char* CodeName(int code) {
  static constexpr const char* kNames[] = {"OK",
                                           "CANCELLED",
                                           "UNKNOWN",
                                           "INVALID_ARGUMENT",
                                           "DEADLINE_EXCEEDED",
                                           "NOT_FOUND",
                                           "ALREADY_EXISTS",
                                           "PERMISSION_DENIED",
                                           "RESOURCE_EXHAUSTED",
                                           "FAILED_PRECONDITION",
                                           "ABORTED",
                                           "OUT_OF_RANGE",
                                           "UNIMPLEMENTED",
                                           "INTERNAL",
                                           "UNAVAILABLE",
                                           "DATA_LOSS",
                                           "UNAUTHENTICATED"};
  return code >= 0 && code < static_cast<int>(std::size(kNames)) ? kNames[code] : "?";
}

}  // namespace

google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  details.set_code(status.error_code());
  return details;
}

google::rpc::ErrorInfo InfoOf(const google::rpc::Status& status) {
  google::rpc::ErrorInfo info;
  for (const auto& any : status.details()) {
    if (any.UnpackTo(&info)) break;
  }
  return info;
}

std::string Brief(const google::rpc::Status& status) {
  std::string brief = CodeName(status.code());
  const std::string reason = InfoOf(status).reason();
  if (!reason.empty()) brief += " " + reason;
  google::rpc::BadRequest bad;
  for (const auto& any : status.details()) {
    if (any.UnpackTo(&bad)) brief += " " + bad.field_violations(0).field();
  }
  return brief;
}

std::string Brief(const grpc::Status& status) { return Brief(DetailsOf(status)); }

RawClient::RawClient(const std::string& address,
                     std::shared_ptr<grpc::ChannelCredentials> credentials,
                     const std::string& server_name) {
  grpc::ChannelArguments arguments;
  // Each client a connection of its own, whatever other clients of this process have open.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxSendMessageSize(-1);
  // What nobody reads fills one window and no more; gRPC would let it grow, on a busy machine to
  // tens of MiB.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  if (!server_name.empty()) arguments.SetSslTargetNameOverride(server_name);
  channel_ = grpc::CreateCustomChannel(address, credentials, arguments);
  state_ = v1::StateService::NewStub(channel_);
  admin_ = v1::AdminService::NewStub(channel_);
  health_ = grpc::health::v1::Health::NewStub(channel_);
}

std::unique_ptr<grpc::ClientContext> RawClient::NewContext() const {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + kPatience);
  context->set_wait_for_ready(true);
  return context;
}

std::string RawClient::Put(const std::string& key, const std::string& value,
                           const std::function<void(v1::PutRequest&)>& change) {
  v1::PutRequest request;
  request.set_key(key);
  request.set_value(value);
  change(request);
  v1::PutResponse response;
  return Call(*state_, &v1::StateService::Stub::Put, request, &response);
}

std::string RawClient::Delete(const std::string& key) {
  v1::DeleteRequest request;
  request.set_key(key);
  v1::DeleteResponse response;
  return Call(*state_, &v1::StateService::Stub::Delete, request, &response);
}

std::string RawClient::Get(const std::string& key, const std::string& ns) {
  v1::GetRequest request;
  request.set_namespace_(ns);
  request.set_key(key);
  v1::GetResponse response;
  const std::string brief = Call(*state_, &v1::StateService::Stub::Get, request, &response);
  if (brief != "OK") return brief;
  return response.found() ? response.value() : "(none)";
}

uint64_t RawClient::RevisionOf(const std::string& key) {
  v1::GetRequest request;
  request.set_key(key);
  v1::GetResponse response;
  Call(*state_, &v1::StateService::Stub::Get, request, &response);
  return response.revision();
}

std::string RawClient::All(const std::string& ns) {
  v1::ScanRequest request;
  request.set_namespace_(ns);
  const auto context = NewContext();
  const auto reader = state_->Scan(context.get(), request);
  std::string all;
  v1::ScanResponse response;
  while (reader->Read(&response)) {
    for (const auto& entry : response.entries()) {
      all += (all.empty() ? "" : " ") + entry.key() + "=" + entry.value();
    }
  }
  const std::string brief = Brief(reader->Finish());
  return brief == "OK" ? all : brief;
}

v1::Operation GetOp(const std::string& key) {
  v1::Operation operation;
  operation.set_key(key);
  operation.mutable_get();
  return operation;
}

v1::Operation PutOp(const std::string& key, const std::string& value) {
  v1::Operation operation;
  operation.set_key(key);
  operation.mutable_put()->set_value(value);
  return operation;
}

v1::Operation IncrementOp(const std::string& key, int64_t delta) {
  v1::Operation operation;
  operation.set_key(key);
  operation.mutable_increment()->set_delta(delta);
  return operation;
}

v1::Operation DeleteOp(const std::string& key) {
  v1::Operation operation;
  operation.set_key(key);
  operation.mutable_delete_();
  return operation;
}

}  // namespace tarn::testing
