#include "client/src/grpc_admin_connection.h"

#include <utility>

#include "client/src/channel.h"
#include "client/src/convert_admin.h"
#include "client/src/health.h"

namespace tarn {
namespace internal {
namespace {

using AdminStub = v1::AdminService::Stub;

// Generated code has no type for a method, only a member function of the stub.
template <typename Q, typename R,
          grpc::Status (AdminStub::*kCall)(grpc::ClientContext*, const Q&, R*)>
struct AdminMethod {
  using Request = Q;
  using Response = R;
  static grpc::Status Call(AdminStub& stub, grpc::ClientContext* context, const Q& request,
                           R* response) {
    return (stub.*kCall)(context, request, response);
  }
};

using GetServerInfoMethod =
    AdminMethod<v1::GetServerInfoRequest, v1::GetServerInfoResponse, &AdminStub::GetServerInfo>;
using GetStatsMethod = AdminMethod<v1::GetStatsRequest, v1::GetStatsResponse, &AdminStub::GetStats>;
using CreateMethod = AdminMethod<v1::CreateNamespaceRequest, v1::CreateNamespaceResponse,
                                 &AdminStub::CreateNamespace>;
using GetNamespaceMethod =
    AdminMethod<v1::GetNamespaceRequest, v1::GetNamespaceResponse, &AdminStub::GetNamespace>;
using ListMethod =
    AdminMethod<v1::ListNamespacesRequest, v1::ListNamespacesResponse, &AdminStub::ListNamespaces>;
using UpdateMethod = AdminMethod<v1::UpdateNamespaceRequest, v1::UpdateNamespaceResponse,
                                 &AdminStub::UpdateNamespace>;
using DropMethod = AdminMethod<v1::DeleteNamespaceRequest, v1::DeleteNamespaceResponse,
                               &AdminStub::DeleteNamespace>;

struct HealthMethod {
  using Request = std::string;  // Always empty.
  using Response = grpc::ByteBuffer;
  static grpc::Status Call(grpc::ChannelInterface& channel, grpc::ClientContext* context,
                           const Request&, Response* response) {
    return CallHealthCheck(channel, context, response);
  }
};

CallKind Read(const char* name) { return {name, Access::kRead, Idempotency::kIdempotent}; }

CallKind Write(const char* name, Idempotency idempotency) {
  return {name, Access::kWrite, idempotency};
}

}  // namespace

GrpcAdminConnection::GrpcAdminConnection(std::shared_ptr<grpc::ChannelInterface> channel,
                                         const ClientOptions& options, World world)
    : channel_(std::move(channel)),
      stub_(v1::AdminService::NewStub(channel_)),
      options_(options),
      policies_(PoliciesOf(options)),
      world_(std::move(world)) {}

TimePoint GrpcAdminConnection::DeadlineOf(Timeout timeout) const {
  return DeadlineAfter(timeout.value_or(options_.call_timeout), world_);
}

template <typename Method>
absl::StatusOr<typename Method::Response> GrpcAdminConnection::Run(
    const typename Method::Request& request, CallKind kind, TimePoint deadline) {
  Retrier retrier(kind, policies_.retry->Clone(), policies_.backoff->Clone(), deadline, world_.now);
  return Call<Method>(*stub_, request, {world_, deadline, options_.attempt_timeout},
                      std::move(retrier));
}

absl::StatusOr<ServerInfo> GrpcAdminConnection::GetServerInfo(Timeout timeout) {
  const auto response = Run<GetServerInfoMethod>({}, Read("GetServerInfo"), DeadlineOf(timeout));
  if (!response.ok()) return response.status();
  return FromProto(*response);
}

absl::StatusOr<Stats> GrpcAdminConnection::GetStats(Timeout timeout) {
  const auto response = Run<GetStatsMethod>({}, Read("GetStats"), DeadlineOf(timeout));
  if (!response.ok()) return response.status();
  return FromProto(*response);
}

absl::StatusOr<Health> GrpcAdminConnection::CheckHealth(Timeout timeout) {
  const TimePoint deadline = DeadlineOf(timeout);
  Retrier retrier(Read("Health"), policies_.retry->Clone(), policies_.backoff->Clone(), deadline,
                  world_.now);
  const auto response = Call<HealthMethod>(
      *channel_, std::string(), {world_, deadline, options_.attempt_timeout}, std::move(retrier));
  if (!response.ok()) return response.status();
  return ParseHealth(*response);
}

absl::StatusOr<NamespaceInfo> GrpcAdminConnection::CreateNamespace(CreateNamespaceParams params) {
  const auto response =
      Run<CreateMethod>(ToRequest(params), Write("CreateNamespace", Idempotency::kNonIdempotent),
                        DeadlineOf(params.timeout));
  if (!response.ok()) return response.status();
  return FromProto(response->namespace_());
}

absl::StatusOr<NamespaceInfo> GrpcAdminConnection::GetNamespace(std::string name, Timeout timeout) {
  v1::GetNamespaceRequest request;
  request.set_name(std::move(name));
  const auto response = Run<GetNamespaceMethod>(request, Read("GetNamespace"), DeadlineOf(timeout));
  if (!response.ok()) return response.status();
  return FromProto(response->namespace_());
}

absl::StatusOr<std::vector<NamespaceInfo>> GrpcAdminConnection::ListNamespaces(Timeout timeout) {
  const TimePoint deadline = DeadlineOf(timeout);
  std::vector<NamespaceInfo> namespaces;
  v1::ListNamespacesRequest request;
  do {
    const auto page = Run<ListMethod>(request, Read("ListNamespaces"), deadline);
    if (!page.ok()) return page.status();
    for (const v1::Namespace& ns : page->namespaces()) namespaces.push_back(FromProto(ns));
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return namespaces;
}

absl::StatusOr<NamespaceInfo> GrpcAdminConnection::UpdateNamespace(UpdateNamespaceParams params) {
  // With an expected revision too: a repetition cannot change anything twice, and what it then
  // meets is reported as an unknown outcome.
  const auto response =
      Run<UpdateMethod>(ToRequest(params), Write("UpdateNamespace", Idempotency::kIdempotent),
                        DeadlineOf(params.timeout));
  if (!response.ok()) return response.status();
  return FromProto(response->namespace_());
}

absl::StatusOr<DeleteNamespaceResult> GrpcAdminConnection::DeleteNamespace(
    DeleteNamespaceParams params) {
  const auto response =
      Run<DropMethod>(ToRequest(params), Write("DeleteNamespace", Idempotency::kNonIdempotent),
                      DeadlineOf(params.timeout));
  if (!response.ok()) return response.status();
  return DeleteNamespaceResult{response->deleted_count()};
}

}  // namespace internal

absl::StatusOr<std::shared_ptr<AdminConnection>> MakeAdminConnection(const ClientOptions& options) {
  auto channel = internal::MakeChannel(options);
  if (!channel.ok()) return channel.status();
  return std::make_shared<internal::GrpcAdminConnection>(*std::move(channel), options,
                                                         internal::RealWorld());
}

}  // namespace tarn
