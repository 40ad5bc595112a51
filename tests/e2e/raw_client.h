// Tarn's services over gRPC, without libtarn: what any language's generated stubs would do.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "tarn/v1/admin.grpc.pb.h"
#include "tarn/v1/state.grpc.pb.h"
#include <grpcpp/grpcpp.h>

namespace tarn::testing {

// "OK", "ABORTED REVISION_MISMATCH", "INVALID_ARGUMENT KEY_TOO_LARGE key" (with the field), or the
// code alone when it is not Tarn's.
std::string Brief(const grpc::Status& status);
std::string Brief(const google::rpc::Status& status);

google::rpc::Status DetailsOf(const grpc::Status& status);
google::rpc::ErrorInfo InfoOf(const google::rpc::Status& status);

// One connection. Calls wait at most kPatience.
class RawClient {
 public:
  static constexpr std::chrono::seconds kPatience{60};

  // `server_name`: what its certificate must be for, when that is not the address.
  explicit RawClient(
      const std::string& address,
      std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials(),
      const std::string& server_name = "");

  // "OK", or the error in brief.
  std::string Put(
      const std::string& key, const std::string& value,
      const std::function<void(v1::PutRequest&)>& change = [](v1::PutRequest&) {});
  std::string Delete(const std::string& key);
  // The value, "(none)", or the error in brief.
  std::string Get(const std::string& key, const std::string& ns = "");
  uint64_t RevisionOf(const std::string& key);

  // Everything in the namespace as "key=value key=value"; what an error must not change.
  std::string All(const std::string& ns = "");

  // Any unary call: the error in brief, or "OK" with the response filled in.
  template <typename Stub, typename Request, typename Response>
  std::string Call(Stub& stub,
                   grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                   const Request& request, Response* response) {
    const auto context = NewContext();
    return Brief((stub.*method)(context.get(), request, response));
  }

  std::unique_ptr<grpc::ClientContext> NewContext() const;

  v1::StateService::Stub& state() { return *state_; }
  v1::AdminService::Stub& admin() { return *admin_; }
  grpc::health::v1::Health::Stub& health() { return *health_; }
  const std::shared_ptr<grpc::Channel>& channel() { return channel_; }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::StateService::Stub> state_;
  std::unique_ptr<v1::AdminService::Stub> admin_;
  std::unique_ptr<grpc::health::v1::Health::Stub> health_;
};

// Operations of batches.
v1::Operation GetOp(const std::string& key);
v1::Operation PutOp(const std::string& key, const std::string& value);
v1::Operation IncrementOp(const std::string& key, int64_t delta);
v1::Operation DeleteOp(const std::string& key);

}  // namespace tarn::testing
