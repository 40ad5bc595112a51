// AdminService over the wire.
#include "tests/catch.h"
#include "tests/e2e/raw_client.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

using Admin = v1::AdminService::Stub;

class Subject {
 public:
  explicit Subject(std::vector<std::string> arguments)
      : daemon_({.directory = dir_.path(), .arguments = std::move(arguments)}),
        client(daemon_.grpc()) {}

  template <typename Request, typename Response>
  Response Ok(grpc::Status (Admin::*method)(grpc::ClientContext*, const Request&, Response*),
              const Request& request) {
    Response response;
    REQUIRE(client.Call(client.admin(), method, request, &response) == "OK");
    return response;
  }

  template <typename Request, typename Response>
  std::string Try(grpc::Status (Admin::*method)(grpc::ClientContext*, const Request&, Response*),
                  const Request& request) {
    Response response;
    return client.Call(client.admin(), method, request, &response);
  }

  std::string Put(const std::string& ns, const std::string& key) {
    return client.Put(key, "v", [&](v1::PutRequest& request) { request.set_namespace_(ns); });
  }

 private:
  const TempDir dir_;
  DaemonProcess daemon_;

 public:
  RawClient client;
};

Subject AnyEngine() {
  return Subject({"--engine", GENERATE(std::string("memory"), std::string("rocksdb"))});
}

v1::CreateNamespaceRequest Create(const std::string& name) {
  v1::CreateNamespaceRequest request;
  request.mutable_namespace_()->set_name(name);
  return request;
}

v1::UpdateNamespaceRequest Update(const std::string& name) {
  v1::UpdateNamespaceRequest request;
  request.mutable_namespace_()->set_name(name);
  return request;
}

template <typename Request>
Request Named(const std::string& name) {
  Request request;
  request.set_name(name);
  return request;
}

TEST_CASE("the server says what it is and what it allows") {
  Subject subject({"--engine", "memory", "--max-key-size", "100", "--scan-chunk", "8KiB",
                   "--scan-lifetime", "5s"});
  const auto info = subject.Ok(&Admin::GetServerInfo, {});
  CHECK(info.version() == "0.1.0");
  CHECK(info.engine() == "memory");
  CHECK(info.store_id().size() == 32);
  CHECK(info.incarnation() == 1);
  CHECK(info.revision() >> 40 == 1);
  CHECK(info.state() == v1::SERVER_STATE_SERVING);
  CHECK(info.start_time().seconds() > 1'600'000'000);
  CHECK(info.limits().max_key_bytes() == 100);
  CHECK(info.limits().max_value_bytes() == 2 << 20);
  CHECK(info.limits().max_batch_operations() == 4096);
  CHECK(info.limits().max_response_bytes() == (4 << 20) - (64 << 10));
  CHECK(info.limits().scan_chunk_bytes() == 8 << 10);
  CHECK(info.limits().snapshot_lifetime().seconds() == 5);
  CHECK(info.limits().max_pipeline_batches() == 64);
  CHECK(info.limits().max_ttl().seconds() > 0);
  CHECK(info.capabilities().atomic_batches());
  CHECK(info.capabilities().snapshots());
  CHECK(info.capabilities().durability() == v1::DURABILITY_MEMORY);
  CHECK_FALSE(info.capabilities().durability_description().empty());
}

TEST_CASE("the durability that was chosen is announced") {
  CHECK(
      Subject({"--engine", "rocksdb"}).Ok(&Admin::GetServerInfo, {}).capabilities().durability() ==
      v1::DURABILITY_OS);
  CHECK(Subject({"--engine", "rocksdb", "--durability", "disk"})
            .Ok(&Admin::GetServerInfo, {})
            .capabilities()
            .durability() == v1::DURABILITY_DISK);
}

TEST_CASE("figures follow what is done") {
  Subject subject = AnyEngine();
  REQUIRE(subject.Put("small", "k") == "OK");
  for (const char* key : {"a", "b", "c"}) REQUIRE(subject.Put("large", key) == "OK");
  CHECK(subject.client.Get("a", "large") == "v");
  CHECK(subject.client.Get("a", "small") == "(none)");
  CHECK(subject.client.Get("", "small") == "INVALID_ARGUMENT INVALID_KEY key");
  const auto stats = subject.Ok(&Admin::GetStats, {});
  CHECK(stats.entry_count() == 4);
  CHECK(stats.size_bytes() == 8);
  CHECK(stats.namespace_count() == 3);
  REQUIRE(stats.namespaces_size() == 3);
  CHECK(stats.namespaces(0).name() == "large");
  CHECK(stats.namespaces(0).entry_count() == 3);
  CHECK(stats.connection_count() == 1);
  CHECK(stats.pipeline_count() == 0);
  REQUIRE(stats.operations_size() == 7);
  CHECK(stats.operations(0).kind() == v1::OPERATION_KIND_GET);
  CHECK(stats.operations(0).success_count() == 2);
  CHECK(stats.operations(0).failure_count() == 1);
  CHECK(stats.operations(1).kind() == v1::OPERATION_KIND_PUT);
  CHECK(stats.operations(1).success_count() == 4);
}

TEST_CASE("a namespace is created, shown, changed and deleted") {
  Subject subject = AnyEngine();
  auto create = Create("orders");
  create.mutable_namespace_()->mutable_default_ttl()->set_milliseconds(60'000);
  create.mutable_namespace_()->set_quota_entries(2);
  const auto created = subject.Ok(&Admin::CreateNamespace, create).namespace_();
  CHECK(created.name() == "orders");
  CHECK(created.default_ttl().milliseconds() == 60'000);
  CHECK(created.quota_entries() == 2);
  CHECK(created.placement() == v1::PLACEMENT_SPREAD);
  CHECK(created.create_time().seconds() > 1'600'000'000);
  CHECK(subject.Try(&Admin::CreateNamespace, create) == "FAILED_PRECONDITION NAMESPACE_EXISTS");

  REQUIRE(subject.Put("orders", "a") == "OK");
  REQUIRE(subject.Put("orders", "b") == "OK");
  CHECK(subject.Put("orders", "c") == "RESOURCE_EXHAUSTED QUOTA_EXCEEDED");
  auto update = Update("orders");
  update.mutable_namespace_()->set_quota_entries(3);
  const auto updated = subject.Ok(&Admin::UpdateNamespace, update).namespace_();
  CHECK(updated.quota_entries() == 3);
  CHECK(updated.default_ttl().milliseconds() == 60'000);
  CHECK(updated.revision() > created.revision());
  CHECK(subject.Put("orders", "c") == "OK");

  const auto shown =
      subject.Ok(&Admin::GetNamespace, Named<v1::GetNamespaceRequest>("orders")).namespace_();
  CHECK(shown.entry_count() == 3);
  CHECK(shown.size_bytes() == 6);

  auto remove = Named<v1::DeleteNamespaceRequest>("orders");
  CHECK(subject.Try(&Admin::DeleteNamespace, remove) == "FAILED_PRECONDITION NAMESPACE_NOT_EMPTY");
  remove.set_force(true);
  CHECK(subject.Ok(&Admin::DeleteNamespace, remove).deleted_count() == 3);
  CHECK(subject.Try(&Admin::DeleteNamespace, remove) == "FAILED_PRECONDITION NAMESPACE_NOT_FOUND");
  CHECK(subject.Try(&Admin::GetNamespace, Named<v1::GetNamespaceRequest>("orders")) ==
        "FAILED_PRECONDITION NAMESPACE_NOT_FOUND");
}

TEST_CASE("a change of a namespace may depend on its revision") {
  Subject subject = AnyEngine();
  const auto created = subject.Ok(&Admin::CreateNamespace, Create("orders")).namespace_();
  auto update = Update("orders");
  update.set_expected_revision(created.revision() + 1);
  update.mutable_namespace_()->set_quota_bytes(1000);
  CHECK(subject.Try(&Admin::UpdateNamespace, update) == "ABORTED REVISION_MISMATCH");
  update.set_expected_revision(created.revision());
  CHECK(subject.Try(&Admin::UpdateNamespace, update) == "OK");
  CHECK(subject.Try(&Admin::UpdateNamespace, update) == "ABORTED REVISION_MISMATCH");

  REQUIRE(subject.Put("orders", "k") == "OK");
  auto remove = Named<v1::DeleteNamespaceRequest>("orders");
  remove.set_force(true);
  remove.set_expected_revision(created.revision());
  CHECK(subject.Try(&Admin::DeleteNamespace, remove) == "ABORTED REVISION_MISMATCH");
  CHECK(subject.client.Get("k", "orders") == "v");
}

TEST_CASE("the default namespace stays, with its entries") {
  Subject subject = AnyEngine();
  REQUIRE(subject.client.Put("k", "v") == "OK");
  auto remove = Named<v1::DeleteNamespaceRequest>("default");
  remove.set_force(true);
  CHECK(subject.Try(&Admin::DeleteNamespace, remove) == "INVALID_ARGUMENT DEFAULT_NAMESPACE name");
  CHECK(subject.client.Get("k") == "v");
}

TEST_CASE("bad input to admin calls names its field and changes nothing") {
  Subject subject = AnyEngine();
  CHECK(subject.Try(&Admin::CreateNamespace, Create("")) ==
        "INVALID_ARGUMENT INVALID_NAMESPACE_NAME namespace.name");
  CHECK(subject.Try(&Admin::CreateNamespace, Create("No")) ==
        "INVALID_ARGUMENT INVALID_NAMESPACE_NAME namespace.name");
  CHECK(subject.Try(&Admin::GetNamespace, Named<v1::GetNamespaceRequest>("")) ==
        "INVALID_ARGUMENT INVALID_NAMESPACE_NAME name");
  CHECK(subject.Try(&Admin::DeleteNamespace, Named<v1::DeleteNamespaceRequest>("")) ==
        "INVALID_ARGUMENT INVALID_NAMESPACE_NAME name");
  CHECK(subject.Try(&Admin::UpdateNamespace, Update("")) ==
        "INVALID_ARGUMENT INVALID_NAMESPACE_NAME namespace.name");
  CHECK(subject.Try(&Admin::UpdateNamespace, Update("missing")) ==
        "FAILED_PRECONDITION NAMESPACE_NOT_FOUND");

  auto create = Create("orders");
  create.mutable_namespace_()->mutable_default_ttl()->set_milliseconds(-5);
  CHECK(subject.Try(&Admin::CreateNamespace, create) ==
        "INVALID_ARGUMENT INVALID_TTL namespace.default_ttl");
  create.mutable_namespace_()->mutable_default_ttl()->set_milliseconds(int64_t{1} << 62);
  CHECK(subject.Try(&Admin::CreateNamespace, create) ==
        "INVALID_ARGUMENT INVALID_TTL namespace.default_ttl");

  auto update = Update("default");
  update.mutable_update_mask()->add_paths("entry_count");
  CHECK(subject.Try(&Admin::UpdateNamespace, update) ==
        "INVALID_ARGUMENT INVALID_FIELD_MASK update_mask");

  v1::ListNamespacesRequest list;
  list.set_page_size(-1);
  CHECK(subject.Try(&Admin::ListNamespaces, list) == "INVALID_ARGUMENT INVALID_PAGE page_size");
  list.set_page_size(1);
  list.set_page_token("made up");
  CHECK(subject.Try(&Admin::ListNamespaces, list) == "INVALID_ARGUMENT INVALID_PAGE page_token");
  CHECK(subject.Ok(&Admin::ListNamespaces, {}).namespaces_size() == 1);
}

TEST_CASE("namespaces are listed in pages, in the order of their names") {
  Subject subject = AnyEngine();
  for (const char* name : {"d", "b", "a", "c"}) subject.Ok(&Admin::CreateNamespace, Create(name));
  std::string names;
  v1::ListNamespacesRequest list;
  list.set_page_size(2);
  int pages = 0;
  do {
    const auto page = subject.Ok(&Admin::ListNamespaces, list);
    CHECK(page.namespaces_size() <= 2);
    for (const auto& ns : page.namespaces()) names += ns.name() + " ";
    list.set_page_token(page.next_page_token());
    ++pages;
  } while (!list.page_token().empty());
  CHECK(names == "a b c d default ");
  CHECK(pages == 3);
}

}  // namespace
}  // namespace tarn::testing
