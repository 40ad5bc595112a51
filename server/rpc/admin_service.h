// AdminService: what each call of tarn/v1/admin.proto does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "server/metrics/counters.h"
#include "server/rpc/admin_policy.h"
#include "server/rpc/call.h"
#include "server/rpc/gate.h"
#include "server/rpc/server_limits.h"
#include "storage/limits.h"
#include "storage/redis_report.h"
#include "tarn/v1/admin.pb.h"

namespace tarn::server {

// What a server says of itself before its store is open.
struct ServerFacts {
  std::string version;
  std::string commit;
  std::string engine;  // As in --engine.
  tarn::v1::Durability durability = tarn::v1::DURABILITY_UNSPECIFIED;
  int64_t start_time_ms = 0;
  storage::Limits limits;
  ServerLimits server_limits;
};

// Thread-safe, as StateService is.
class AdminService {
 public:
  // How many clients are connected now.
  using CountConnections = absl::AnyInvocable<int64_t() const>;
  // None with other engines.
  using ReadRedis = absl::AnyInvocable<std::optional<storage::RedisReport>() const>;

  AdminService(Gate& gate, Counters& counters, const AdminPolicy& policy, ServerFacts facts,
               CountConnections count_connections, ReadRedis read_redis);

  void GetServerInfo(
      UnaryCall<tarn::v1::GetServerInfoRequest, tarn::v1::GetServerInfoResponse>& call);
  void GetStats(UnaryCall<tarn::v1::GetStatsRequest, tarn::v1::GetStatsResponse>& call);
  void CreateNamespace(
      UnaryCall<tarn::v1::CreateNamespaceRequest, tarn::v1::CreateNamespaceResponse>& call);
  void GetNamespace(UnaryCall<tarn::v1::GetNamespaceRequest, tarn::v1::GetNamespaceResponse>& call);
  void ListNamespaces(
      UnaryCall<tarn::v1::ListNamespacesRequest, tarn::v1::ListNamespacesResponse>& call);
  void UpdateNamespace(
      UnaryCall<tarn::v1::UpdateNamespaceRequest, tarn::v1::UpdateNamespaceResponse>& call);
  void DeleteNamespace(
      UnaryCall<tarn::v1::DeleteNamespaceRequest, tarn::v1::DeleteNamespaceResponse>& call);

 private:
  using UpdateCall = UnaryCall<tarn::v1::UpdateNamespaceRequest, tarn::v1::UpdateNamespaceResponse>;
  using DeleteCall = UnaryCall<tarn::v1::DeleteNamespaceRequest, tarn::v1::DeleteNamespaceResponse>;

  // The store; null when the call has been refused.
  template <typename AnyUnaryCall>
  storage::Store* Admit(AnyUnaryCall& call);
  template <typename AnyUnaryCall>
  storage::Store* AdmitAdmin(AnyUnaryCall& call);

  void TryUpdate(storage::Store& store, UpdateCall& call, int attempts_left);
  void DeleteEmpty(storage::Store& store, DeleteCall& call, uint64_t deleted);

  Gate& gate_;
  Counters& counters_;
  const AdminPolicy& policy_;
  const ServerFacts facts_;
  const CountConnections count_connections_;
  const ReadRedis read_redis_;
};

}  // namespace tarn::server
