#include "client/src/grpc_admin_connection.h"

#include <utility>

#include "client/src/channel.h"
#include "client/src/convert_admin.h"
#include "client/src/health.h"

namespace tarn {
namespace internal {
namespace {

using AdminStub = v1::AdminService::Stub;

template <typename Q, typename R,
          grpc::Status (AdminStub::*kCall)(grpc::ClientContext*, const Q&, R*)>
using AdminMethod = StubMethod<AdminStub, Q, R, kCall>;

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

}  // namespace

GrpcAdminConnection::GrpcAdminConnection(std::shared_ptr<grpc::ChannelInterface> channel,
                                         const ClientOptions& options, World world)
    : channel_(std::move(channel)),
      stub_(v1::AdminService::NewStub(channel_)),
      caller_(options, std::move(world)) {}

absl::StatusOr<ServerInfo> GrpcAdminConnection::GetServerInfo(Timeout timeout) {
  const auto response = caller_.Run<GetServerInfoMethod>(*stub_, {}, ReadCall("GetServerInfo"),
                                                         caller_.DeadlineOf(timeout));
  if (!response.ok()) return response.status();
  return FromProto(*response);
}

absl::StatusOr<Stats> GrpcAdminConnection::GetStats(Timeout timeout) {
  const auto response =
      caller_.Run<GetStatsMethod>(*stub_, {}, ReadCall("GetStats"), caller_.DeadlineOf(timeout));
  if (!response.ok()) return response.status();
  return FromProto(*response);
}

absl::StatusOr<Health> GrpcAdminConnection::CheckHealth(Timeout timeout) {
  const TimePoint deadline = caller_.DeadlineOf(timeout);
  const auto response = Call<HealthMethod>(*channel_, std::string(), caller_.Settings(deadline),
                                           caller_.MakeRetrier(ReadCall("Health"), deadline));
  if (!response.ok()) return response.status();
  return ParseHealth(*response);
}

absl::StatusOr<NamespaceInfo> GrpcAdminConnection::CreateNamespace(CreateNamespaceParams params) {
  const auto response = caller_.Run<CreateMethod>(
      *stub_, ToRequest(params), WriteCall("CreateNamespace", Idempotency::kNonIdempotent),
      caller_.DeadlineOf(params.timeout));
  if (!response.ok()) return response.status();
  return FromProto(response->namespace_());
}

absl::StatusOr<NamespaceInfo> GrpcAdminConnection::GetNamespace(std::string name, Timeout timeout) {
  v1::GetNamespaceRequest request;
  request.set_name(std::move(name));
  const auto response = caller_.Run<GetNamespaceMethod>(*stub_, request, ReadCall("GetNamespace"),
                                                        caller_.DeadlineOf(timeout));
  if (!response.ok()) return response.status();
  return FromProto(response->namespace_());
}

absl::StatusOr<std::vector<NamespaceInfo>> GrpcAdminConnection::ListNamespaces(Timeout timeout) {
  const TimePoint deadline = caller_.DeadlineOf(timeout);
  std::vector<NamespaceInfo> namespaces;
  v1::ListNamespacesRequest request;
  do {
    const auto page =
        caller_.Run<ListMethod>(*stub_, request, ReadCall("ListNamespaces"), deadline);
    if (!page.ok()) return page.status();
    for (const v1::Namespace& ns : page->namespaces()) namespaces.push_back(FromProto(ns));
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return namespaces;
}

absl::StatusOr<NamespaceInfo> GrpcAdminConnection::UpdateNamespace(UpdateNamespaceParams params) {
  // With an expected revision too: a repetition cannot change anything twice, and what it then
  // meets is reported as an unknown outcome.
  const auto response = caller_.Run<UpdateMethod>(
      *stub_, ToRequest(params), WriteCall("UpdateNamespace", Idempotency::kIdempotent),
      caller_.DeadlineOf(params.timeout));
  if (!response.ok()) return response.status();
  return FromProto(response->namespace_());
}

absl::StatusOr<DeleteNamespaceResult> GrpcAdminConnection::DeleteNamespace(
    DeleteNamespaceParams params) {
  const auto response = caller_.Run<DropMethod>(
      *stub_, ToRequest(params), WriteCall("DeleteNamespace", Idempotency::kNonIdempotent),
      caller_.DeadlineOf(params.timeout));
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
