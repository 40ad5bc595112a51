#include "tarn/admin.h"

#include <utility>

namespace tarn {
namespace {

absl::Status NotOverridden() {
  return absl::UnimplementedError("this connection does not offer the call");
}

}  // namespace

absl::StatusOr<ServerInfo> AdminConnection::GetServerInfo(Timeout) { return NotOverridden(); }
absl::StatusOr<Stats> AdminConnection::GetStats(Timeout) { return NotOverridden(); }
absl::StatusOr<Health> AdminConnection::CheckHealth(Timeout) { return NotOverridden(); }
absl::StatusOr<NamespaceInfo> AdminConnection::CreateNamespace(CreateNamespaceParams) {
  return NotOverridden();
}
absl::StatusOr<NamespaceInfo> AdminConnection::GetNamespace(std::string, Timeout) {
  return NotOverridden();
}
absl::StatusOr<std::vector<NamespaceInfo>> AdminConnection::ListNamespaces(Timeout) {
  return NotOverridden();
}
absl::StatusOr<NamespaceInfo> AdminConnection::UpdateNamespace(UpdateNamespaceParams) {
  return NotOverridden();
}
absl::StatusOr<DeleteNamespaceResult> AdminConnection::DeleteNamespace(DeleteNamespaceParams) {
  return NotOverridden();
}

absl::StatusOr<AdminClient> AdminClient::Connect(const ClientOptions& options) {
  auto connection = MakeAdminConnection(options);
  if (!connection.ok()) return connection.status();
  return AdminClient(*std::move(connection));
}

absl::StatusOr<ServerInfo> AdminClient::GetServerInfo(Timeout timeout) const {
  return connection_->GetServerInfo(timeout);
}
absl::StatusOr<Stats> AdminClient::GetStats(Timeout timeout) const {
  return connection_->GetStats(timeout);
}
absl::StatusOr<Health> AdminClient::CheckHealth(Timeout timeout) const {
  return connection_->CheckHealth(timeout);
}
absl::StatusOr<NamespaceInfo> AdminClient::CreateNamespace(CreateNamespaceParams params) const {
  return connection_->CreateNamespace(std::move(params));
}
absl::StatusOr<NamespaceInfo> AdminClient::GetNamespace(std::string name, Timeout timeout) const {
  return connection_->GetNamespace(std::move(name), timeout);
}
absl::StatusOr<std::vector<NamespaceInfo>> AdminClient::ListNamespaces(Timeout timeout) const {
  return connection_->ListNamespaces(timeout);
}
absl::StatusOr<NamespaceInfo> AdminClient::UpdateNamespace(UpdateNamespaceParams params) const {
  return connection_->UpdateNamespace(std::move(params));
}
absl::StatusOr<DeleteNamespaceResult> AdminClient::DeleteNamespace(
    DeleteNamespaceParams params) const {
  return connection_->DeleteNamespace(std::move(params));
}

}  // namespace tarn
