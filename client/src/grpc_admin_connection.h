// The AdminConnection to a server.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/src/caller.h"
#include "client/src/world.h"
#include "tarn/admin.h"
#include "tarn/v1/admin.grpc.pb.h"

namespace tarn::internal {

// Thread-safe; constant after construction.
class GrpcAdminConnection : public AdminConnection {
 public:
  GrpcAdminConnection(std::shared_ptr<grpc::ChannelInterface> channel, const ClientOptions& options,
                      World world);

  absl::StatusOr<ServerInfo> GetServerInfo(Timeout timeout) override;
  absl::StatusOr<Stats> GetStats(Timeout timeout) override;
  absl::StatusOr<Health> CheckHealth(Timeout timeout) override;
  absl::StatusOr<NamespaceInfo> CreateNamespace(CreateNamespaceParams params) override;
  absl::StatusOr<NamespaceInfo> GetNamespace(std::string name, Timeout timeout) override;
  absl::StatusOr<std::vector<NamespaceInfo>> ListNamespaces(Timeout timeout) override;
  absl::StatusOr<NamespaceInfo> UpdateNamespace(UpdateNamespaceParams params) override;
  absl::StatusOr<DeleteNamespaceResult> DeleteNamespace(DeleteNamespaceParams params) override;

 private:
  const std::shared_ptr<grpc::ChannelInterface> channel_;
  const std::unique_ptr<v1::AdminService::Stub> stub_;
  const Caller caller_;
};

}  // namespace tarn::internal
