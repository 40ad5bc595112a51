#include "server/rpc/admin_service.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/rpc/admin_messages.h"
#include "server/rpc/conversion.h"
#include "server/rpc/errors.h"
#include "server/rpc/redis_messages.h"
#include "storage/base/error.h"

namespace tarn::server {
namespace {

using base::Reason;

// How often an update without `expected_revision` begins anew when somebody else's came between its
// reading and writing.
constexpr int kUpdateAttempts = 8;

// In front of the last name of a page, so that a token made up by a caller is noticed.
constexpr absl::string_view kPageTokenPrefix = "after/";

// The error with the path of the request's field that it speaks of, which the Store cannot know.
absl::Status Placed(const absl::Status& status, absl::string_view name_path) {
  switch (base::ReasonOf(status)) {
    case Reason::kInvalidNamespaceName:
    case Reason::kDefaultNamespace:
      return AtField(status, name_path);
    case Reason::kInvalidTtl:
      return AtField(status, "namespace.default_ttl");
    default:
      return status;
  }
}

google::rpc::Status Error(const absl::Status& status, absl::string_view ns,
                          absl::string_view name_path, const storage::Store& store) {
  return ToWire(Placed(status, name_path), {.ns = ns, .limits = &store.limits()});
}

absl::Status NameRequired(absl::string_view path) {
  return InvalidField(Reason::kInvalidNamespaceName, path, "the namespace's name is required");
}

std::optional<storage::Revision> Expected(uint64_t revision) {
  return revision == 0 ? std::nullopt : std::optional<storage::Revision>(revision);
}

absl::Status CheckRevision(const storage::NamespaceInfo& info, uint64_t expected) {
  if (expected == 0 || expected == info.revision) return absl::OkStatus();
  return base::MakeError(
      absl::StatusCode::kAborted, Reason::kRevisionMismatch,
      absl::StrCat("the namespace's revision is ", info.revision, ", not ", expected));
}

}  // namespace

AdminService::AdminService(Gate& gate, Counters& counters, const AdminPolicy& policy,
                           ServerFacts facts, CountConnections count_connections,
                           ReadRedis read_redis)
    : gate_(gate),
      counters_(counters),
      policy_(policy),
      facts_(std::move(facts)),
      count_connections_(std::move(count_connections)),
      read_redis_(std::move(read_redis)) {}

template <typename AnyUnaryCall>
storage::Store* AdminService::Admit(AnyUnaryCall& call) {
  storage::Store* store = gate_.store();
  if (store == nullptr) call.Fail(ToWire(gate_.Refusal()));
  return store;
}

template <typename AnyUnaryCall>
storage::Store* AdminService::AdmitAdmin(AnyUnaryCall& call) {
  if (absl::Status allowed = policy_.Check(call.peer()); !allowed.ok()) {
    call.Fail(ToWire(allowed));
    return nullptr;
  }
  return Admit(call);
}

void AdminService::GetServerInfo(
    UnaryCall<tarn::v1::GetServerInfoRequest, tarn::v1::GetServerInfoResponse>& call) {
  FillInfo(facts_, gate_, call.response());
  if (const auto redis = read_redis_()) FillRedis(*redis, *call.response().mutable_redis());
  call.Finish();
}

void AdminService::GetStats(
    UnaryCall<tarn::v1::GetStatsRequest, tarn::v1::GetStatsResponse>& call) {
  storage::Store* store = gate_.opened();
  if (store == nullptr) return call.Fail(ToWire(gate_.Refusal()));
  FillStats(*store, counters_, facts_.server_limits.max_page_size, call.response());
  call.response().set_connection_count(static_cast<uint64_t>(count_connections_()));
  call.Finish();
}

void AdminService::CreateNamespace(
    UnaryCall<tarn::v1::CreateNamespaceRequest, tarn::v1::CreateNamespaceResponse>& call) {
  storage::Store* store = AdmitAdmin(call);
  if (store == nullptr) return;
  const tarn::v1::Namespace& wanted = call.request().namespace_();
  if (wanted.name().empty()) return call.Fail(ToWire(NameRequired("namespace.name")));
  const absl::StatusOr<storage::NamespaceSettings> settings = ToSettings(wanted);
  if (!settings.ok()) return call.Fail(ToWire(settings.status()));
  store->CreateNamespace(
      wanted.name(), *settings, [store, &call](const absl::StatusOr<storage::NamespaceInfo>& info) {
        if (!info.ok()) {
          return call.Fail(
              Error(info.status(), call.request().namespace_().name(), "namespace.name", *store));
        }
        Fill(*info, *call.response().mutable_namespace_());
        call.Finish();
      });
}

void AdminService::GetNamespace(
    UnaryCall<tarn::v1::GetNamespaceRequest, tarn::v1::GetNamespaceResponse>& call) {
  storage::Store* store = Admit(call);
  if (store == nullptr) return;
  const std::string& name = call.request().name();
  if (name.empty()) return call.Fail(ToWire(NameRequired("name")));
  const absl::StatusOr<storage::NamespaceInfo> info = store->GetNamespace(name);
  if (!info.ok()) return call.Fail(Error(info.status(), name, "name", *store));
  Fill(*info, *call.response().mutable_namespace_());
  call.Finish();
}

void AdminService::ListNamespaces(
    UnaryCall<tarn::v1::ListNamespacesRequest, tarn::v1::ListNamespacesResponse>& call) {
  storage::Store* store = Admit(call);
  if (store == nullptr) return;
  const tarn::v1::ListNamespacesRequest& request = call.request();
  if (request.page_size() < 0) {
    return call.Fail(
        ToWire(InvalidField(Reason::kInvalidPage, "page_size", "the page size is negative")));
  }
  absl::string_view after = request.page_token();
  if (!after.empty() && !absl::ConsumePrefix(&after, kPageTokenPrefix)) {
    return call.Fail(
        ToWire(InvalidField(Reason::kInvalidPage, "page_token", "not a page token of this list")));
  }
  const size_t max = facts_.server_limits.max_page_size;
  const size_t size =
      request.page_size() == 0 ? max : std::min(static_cast<size_t>(request.page_size()), max);
  std::vector<storage::NamespaceInfo> page = store->ListNamespaces(after, size + 1);
  const bool more = page.size() > size;
  if (more) page.pop_back();
  for (const storage::NamespaceInfo& info : page) Fill(info, *call.response().add_namespaces());
  if (more) call.response().set_next_page_token(absl::StrCat(kPageTokenPrefix, page.back().name));
  call.Finish();
}

void AdminService::UpdateNamespace(UpdateCall& call) {
  storage::Store* store = AdmitAdmin(call);
  if (store == nullptr) return;
  if (call.request().namespace_().name().empty())
    return call.Fail(ToWire(NameRequired("namespace.name")));
  TryUpdate(*store, call, kUpdateAttempts);
}

// Fields outside of the mask must not be lost to somebody else's update: what is written is
// conditional on what was read.
void AdminService::TryUpdate(storage::Store& store, UpdateCall& call, int attempts_left) {
  const tarn::v1::UpdateNamespaceRequest& request = call.request();
  const std::string& name = request.namespace_().name();
  const absl::StatusOr<storage::NamespaceInfo> old = store.GetNamespace(name);
  if (!old.ok()) return call.Fail(Error(old.status(), name, "namespace.name", store));
  if (absl::Status current = CheckRevision(*old, request.expected_revision()); !current.ok()) {
    return call.Fail(ToWire(current));
  }
  const absl::StatusOr<storage::NamespaceSettings> settings = Changed(old->settings, request);
  if (!settings.ok()) return call.Fail(ToWire(settings.status()));
  store.UpdateNamespace(
      name, *settings, old->revision,
      [this, &store, &call, attempts_left](const absl::StatusOr<storage::NamespaceInfo>& info) {
        const bool overtaken = base::ReasonOf(info.status()) == Reason::kRevisionMismatch;
        if (overtaken && call.request().expected_revision() == 0 && attempts_left > 1) {
          return TryUpdate(store, call, attempts_left - 1);
        }
        if (!info.ok()) {
          return call.Fail(
              Error(info.status(), call.request().namespace_().name(), "namespace.name", store));
        }
        Fill(*info, *call.response().mutable_namespace_());
        call.Finish();
      });
}

void AdminService::DeleteNamespace(DeleteCall& call) {
  storage::Store* store = AdmitAdmin(call);
  if (store == nullptr) return;
  const tarn::v1::DeleteNamespaceRequest& request = call.request();
  if (request.name().empty()) return call.Fail(ToWire(NameRequired("name")));
  // What can never be deleted must not lose its entries either.
  if (!request.force() || request.name() == storage::kDefaultNamespace)
    return DeleteEmpty(*store, call, 0);
  const absl::StatusOr<storage::NamespaceInfo> info = store->GetNamespace(request.name());
  if (!info.ok()) return call.Fail(Error(info.status(), request.name(), "name", *store));
  if (absl::Status current = CheckRevision(*info, request.expected_revision()); !current.ok()) {
    return call.Fail(ToWire(current));
  }
  store->DeleteRange(
      request.name(), {}, {}, [&call] { return call.Cancelled(); },
      [this, store, &call](const absl::StatusOr<storage::DeleteRangeResult>& result) {
        if (!result.ok())
          return call.Fail(Error(result.status(), call.request().name(), "name", *store));
        DeleteEmpty(*store, call, result->entries);
      });
}

void AdminService::DeleteEmpty(storage::Store& store, DeleteCall& call, uint64_t deleted) {
  store.DeleteNamespace(
      call.request().name(), Expected(call.request().expected_revision()),
      [&store, &call, deleted](const absl::StatusOr<storage::NamespaceInfo>& info) {
        if (!info.ok())
          return call.Fail(Error(info.status(), call.request().name(), "name", store));
        call.response().set_deleted_count(deleted);
        call.Finish();
      });
}

}  // namespace tarn::server
