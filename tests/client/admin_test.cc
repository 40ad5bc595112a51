// Looking after a server that follows a script.
#include "tarn/admin.h"

#include <string>

#include "client/src/grpc_admin_connection.h"
#include "client/src/health.h"
#include "tests/catch.h"
#include "tests/client/fixture.h"

namespace tarn::testing {
namespace {

using grpc::StatusCode;

AdminClient MakeAdmin(Fixture& f) {
  return AdminClient(std::make_shared<internal::GrpcAdminConnection>(
      *internal::MakeChannel(f.options), f.options, f.fake.world()));
}

TEST_CASE("the server's description arrives whole") {
  Fixture f;
  v1::GetServerInfoResponse info;
  info.set_version("1.2.3");
  info.set_commit("abc");
  info.set_store_id("beef");
  info.set_engine("memory");
  info.set_incarnation(4);
  info.set_revision(99);
  info.set_state(v1::SERVER_STATE_SERVING);
  info.mutable_start_time()->set_seconds(12);
  auto* limits = info.mutable_limits();
  limits->set_max_key_bytes(1);
  limits->set_max_value_bytes(2);
  limits->set_max_batch_operations(3);
  limits->set_max_request_bytes(4);
  limits->set_max_response_bytes(5);
  limits->set_scan_chunk_bytes(6);
  limits->mutable_snapshot_lifetime()->set_seconds(60);
  limits->set_max_snapshots(7);
  limits->set_max_pipeline_batches(8);
  limits->set_max_pipeline_bytes(9);
  limits->set_max_namespaces(10);
  limits->set_max_page_size(11);
  limits->mutable_max_ttl()->set_seconds(100);
  auto* capabilities = info.mutable_capabilities();
  capabilities->set_atomic_batches(true);
  capabilities->set_snapshots(true);
  capabilities->set_durability(v1::DURABILITY_OS);
  capabilities->set_durability_description("words");
  f.server.get_server_info.ThenAnswer(info);

  const auto got = MakeAdmin(f).GetServerInfo();
  REQUIRE(got.ok());
  CHECK(got->version == "1.2.3");
  CHECK(got->commit == "abc");
  CHECK(got->store_id == "beef");
  CHECK(got->engine == "memory");
  CHECK(got->incarnation == 4);
  CHECK(got->revision == 99);
  CHECK(got->state == ServerState::kServing);
  CHECK(got->start_time == Timestamp(seconds(12)));
  CHECK(got->limits.max_key_bytes == 1);
  CHECK(got->limits.max_value_bytes == 2);
  CHECK(got->limits.max_batch_operations == 3);
  CHECK(got->limits.max_request_bytes == 4);
  CHECK(got->limits.max_response_bytes == 5);
  CHECK(got->limits.scan_chunk_bytes == 6);
  CHECK(got->limits.snapshot_lifetime == seconds(60));
  CHECK(got->limits.max_snapshots == 7);
  CHECK(got->limits.max_pipeline_batches == 8);
  CHECK(got->limits.max_pipeline_bytes == 9);
  CHECK(got->limits.max_namespaces == 10);
  CHECK(got->limits.max_page_size == 11);
  CHECK(got->limits.max_ttl == seconds(100));
  CHECK(got->capabilities.atomic_batches);
  CHECK(got->capabilities.snapshots);
  CHECK(got->capabilities.durability == Durability::kOs);
  CHECK(got->capabilities.durability_description == "words");
}

TEST_CASE("every state and durability has its value, also one that is not known yet") {
  const std::pair<v1::ServerState, ServerState> states[] = {
      {v1::SERVER_STATE_STARTING, ServerState::kStarting},
      {v1::SERVER_STATE_STANDBY, ServerState::kStandby},
      {v1::SERVER_STATE_DRAINING, ServerState::kDraining},
      {static_cast<v1::ServerState>(99), ServerState::kUnknown}};
  for (const auto& [wire, expected] : states) {
    Fixture f;
    v1::GetServerInfoResponse info;
    info.set_state(wire);
    f.server.get_server_info.ThenAnswer(info);
    CHECK(MakeAdmin(f).GetServerInfo()->state == expected);
  }
  const std::pair<v1::Durability, Durability> durabilities[] = {
      {v1::DURABILITY_MEMORY, Durability::kMemory},
      {v1::DURABILITY_DISK, Durability::kDisk},
      {v1::DURABILITY_EXTERNAL, Durability::kExternal},
      {static_cast<v1::Durability>(99), Durability::kUnknown}};
  for (const auto& [wire, expected] : durabilities) {
    Fixture f;
    v1::GetServerInfoResponse info;
    info.mutable_capabilities()->set_durability(wire);
    f.server.get_server_info.ThenAnswer(info);
    CHECK(MakeAdmin(f).GetServerInfo()->capabilities.durability == expected);
  }
}

TEST_CASE("figures arrive whole, but for kinds of operations that are not known yet") {
  Fixture f;
  v1::GetStatsResponse stats;
  stats.set_entry_count(1);
  stats.set_size_bytes(2);
  auto* ns = stats.add_namespaces();
  ns->set_name("app");
  ns->set_entry_count(3);
  ns->set_size_bytes(4);
  stats.set_namespace_count(5);
  for (int kind = 1; kind <= 8; ++kind) {
    auto* operation = stats.add_operations();
    operation->set_kind(static_cast<v1::OperationKind>(kind));
    operation->set_success_count(static_cast<uint64_t>(kind));
    operation->set_failure_count(static_cast<uint64_t>(kind * 10));
  }
  stats.set_snapshot_count(6);
  stats.mutable_oldest_snapshot_age()->set_nanos(7'000'000);
  stats.set_swept_count(8);
  stats.set_memory_used_bytes(9);
  stats.set_memory_limit_bytes(10);
  stats.set_disk_used_bytes(11);
  stats.set_disk_free_bytes(12);
  stats.set_connection_count(13);
  stats.set_pipeline_count(14);
  f.server.get_stats.ThenAnswer(stats);

  const auto got = MakeAdmin(f).GetStats();
  REQUIRE(got.ok());
  CHECK(got->entry_count == 1);
  CHECK(got->size_bytes == 2);
  REQUIRE(got->namespaces.size() == 1);
  CHECK(got->namespaces[0].name == "app");
  CHECK(got->namespaces[0].entry_count == 3);
  CHECK(got->namespaces[0].size_bytes == 4);
  CHECK(got->namespace_count == 5);
  REQUIRE(got->operations.size() == 7);
  CHECK(got->operations[0].kind == OperationKind::kGet);
  CHECK(got->operations[6].kind == OperationKind::kTouch);
  CHECK(got->operations[6].success_count == 7);
  CHECK(got->operations[6].failure_count == 70);
  CHECK(got->snapshot_count == 6);
  CHECK(got->oldest_snapshot_age == milliseconds(7));
  CHECK(got->swept_count == 8);
  CHECK(got->memory_used_bytes == 9);
  CHECK(got->memory_limit_bytes == 10);
  CHECK(got->disk_used_bytes == 11);
  CHECK(got->disk_free_bytes == 12);
  CHECK(got->connection_count == 13);
  CHECK(got->pipeline_count == 14);
}

TEST_CASE("a namespace is created with its settings") {
  Fixture f;
  v1::CreateNamespaceResponse response;
  auto* created = response.mutable_namespace_();
  created->set_name("app");
  created->mutable_default_ttl()->set_milliseconds(1000);
  created->set_quota_bytes(2);
  created->set_quota_entries(3);
  created->set_placement(v1::PLACEMENT_TOGETHER);
  created->set_entry_count(4);
  created->set_size_bytes(5);
  created->mutable_create_time()->set_seconds(6);
  created->set_revision(7);
  f.server.create_namespace.ThenAnswer(response);

  const auto info = MakeAdmin(f).CreateNamespace({"app",
                                                  {.default_ttl = seconds(1),
                                                   .quota_bytes = 2,
                                                   .quota_entries = 3,
                                                   .placement = Placement::kTogether}});
  REQUIRE(info.ok());
  CHECK(info->name == "app");
  CHECK(info->settings.default_ttl == seconds(1));
  CHECK(info->settings.quota_bytes == 2);
  CHECK(info->settings.quota_entries == 3);
  CHECK(info->settings.placement == Placement::kTogether);
  CHECK(info->entry_count == 4);
  CHECK(info->size_bytes == 5);
  CHECK(info->create_time == Timestamp(seconds(6)));
  CHECK(info->revision == 7);
  CHECK(f.server.create_namespace.requests().at(0).ShortDebugString() ==
        R"(namespace { name: "app" default_ttl { milliseconds: 1000 } quota_bytes: 2 )"
        R"(quota_entries: 3 placement: PLACEMENT_TOGETHER })");
}

TEST_CASE("only what is to be changed is named in an update") {
  Fixture f;
  f.server.update_namespace.ThenAnswer();
  const AdminClient admin = MakeAdmin(f);
  CHECK(admin.UpdateNamespace({.name = "a", .change = {.default_ttl = Ttl::Never()}}).ok());
  CHECK(
      admin
          .UpdateNamespace(
              {.name = "a",
               .change = {.default_ttl = Ttl::Of(seconds(2)), .quota_bytes = 0, .quota_entries = 9},
               .expected_revision = 5})
          .ok());
  const auto requests = f.server.update_namespace.requests();
  CHECK(requests.at(0).ShortDebugString() ==
        R"(namespace { name: "a" } update_mask { paths: "default_ttl" })");
  CHECK(requests.at(1).ShortDebugString() ==
        R"(namespace { name: "a" default_ttl { milliseconds: 2000 } quota_entries: 9 } )"
        R"(update_mask { paths: "default_ttl" paths: "quota_bytes" paths: "quota_entries" } )"
        R"(expected_revision: 5)");
}

TEST_CASE("namespaces are listed over all pages") {
  Fixture f;
  v1::ListNamespacesResponse first;
  first.add_namespaces()->set_name("a");
  first.set_next_page_token("more");
  v1::ListNamespacesResponse second;
  second.add_namespaces()->set_name("b");
  f.server.list_namespaces.ThenAnswer(first).ThenAnswer(second);
  const auto all = MakeAdmin(f).ListNamespaces();
  REQUIRE(all.ok());
  REQUIRE(all->size() == 2);
  CHECK((*all)[1].name == "b");
  CHECK(f.server.list_namespaces.requests().at(1).page_token() == "more");
}

TEST_CASE("an error on a page ends the list") {
  Fixture f;
  v1::ListNamespacesResponse first;
  first.set_next_page_token("more");
  f.server.list_namespaces.ThenAnswer(first).ThenFail(
      TarnError(StatusCode::INVALID_ARGUMENT, "INVALID_PAGE"));
  CHECK(ReasonOf(MakeAdmin(f).ListNamespaces().status()) == Reason::kInvalidPage);
}

TEST_CASE("a namespace is fetched and deleted by name") {
  Fixture f;
  v1::GetNamespaceResponse found;
  found.mutable_namespace_()->set_name("app");
  f.server.get_namespace.ThenAnswer(found);
  CHECK(MakeAdmin(f).GetNamespace("app")->name == "app");
  CHECK_FALSE(MakeAdmin(f).GetNamespace("app")->settings.default_ttl.has_value());

  v1::DeleteNamespaceResponse deleted;
  deleted.set_deleted_count(12);
  f.server.delete_namespace.ThenAnswer(deleted);
  const auto result = MakeAdmin(f).DeleteNamespace(
      {.name = "app", .with_entries = WithEntries::kDelete, .expected_revision = 3});
  CHECK(result->deleted_count == 12);
  CHECK(f.server.delete_namespace.requests().at(0).ShortDebugString() ==
        R"(name: "app" force: true expected_revision: 3)");
}

TEST_CASE("creating and deleting a namespace are not repeated when the outcome is unknown") {
  Fixture f;
  f.server.create_namespace.ThenFail(Broken());
  f.server.delete_namespace.ThenFail(Broken());
  f.server.update_namespace.ThenFail(Broken()).ThenAnswer();
  const AdminClient admin = MakeAdmin(f);
  CHECK(IsOutcomeUnknown(admin.CreateNamespace({.name = "a"}).status()));
  CHECK(IsOutcomeUnknown(admin.DeleteNamespace({.name = "a"}).status()));
  CHECK(admin.UpdateNamespace({.name = "a"}).ok());
  CHECK(f.server.create_namespace.calls() == 1);
  CHECK(f.server.delete_namespace.calls() == 1);
  CHECK(f.server.update_namespace.calls() == 2);
}

TEST_CASE("every admin call passes its error on") {
  Fixture f;
  const auto denied = TarnError(StatusCode::PERMISSION_DENIED, "PERMISSION_DENIED");
  f.server.get_server_info.ThenFail(denied);
  f.server.get_stats.ThenFail(denied);
  f.server.create_namespace.ThenFail(denied);
  f.server.get_namespace.ThenFail(denied);
  f.server.list_namespaces.ThenFail(denied);
  f.server.update_namespace.ThenFail(denied);
  f.server.delete_namespace.ThenFail(denied);
  const AdminClient admin = MakeAdmin(f);
  CHECK(ReasonOf(admin.GetServerInfo().status()) == Reason::kPermissionDenied);
  CHECK(ReasonOf(admin.GetStats().status()) == Reason::kPermissionDenied);
  CHECK(ReasonOf(admin.CreateNamespace({}).status()) == Reason::kPermissionDenied);
  CHECK(ReasonOf(admin.GetNamespace("a").status()) == Reason::kPermissionDenied);
  CHECK(ReasonOf(admin.ListNamespaces().status()) == Reason::kPermissionDenied);
  CHECK(ReasonOf(admin.UpdateNamespace({}).status()) == Reason::kPermissionDenied);
  CHECK(ReasonOf(admin.DeleteNamespace({}).status()) == Reason::kPermissionDenied);
}

TEST_CASE("health is what the server's health service says") {
  Fixture f;
  const AdminClient admin = MakeAdmin(f);
  CHECK(*admin.CheckHealth() == Health::kServing);
  f.server.SetServing(FakeServer::Serving::kNo);
  CHECK(*admin.CheckHealth() == Health::kNotServing);
  f.server.Stop();
  CHECK(admin.CheckHealth().status().code() == absl::StatusCode::kUnavailable);
}

TEST_CASE("a health answer that makes no sense is an error") {
  const auto parse = [](const std::string& bytes) {
    const grpc::Slice slice(bytes);
    return internal::ParseHealth(grpc::ByteBuffer(&slice, 1));
  };
  CHECK(*parse("") == Health::kNotServing);
  CHECK(*parse("\x08\x01") == Health::kServing);
  CHECK(*parse("\x08\x02") == Health::kNotServing);
  CHECK(*parse("\x10\x05\x08\x01") == Health::kServing);  // A field of a newer version.
  CHECK(parse("\x08").status().code() == absl::StatusCode::kInternal);
  CHECK(parse("\x12\x7f").status().code() == absl::StatusCode::kInternal);
}

TEST_CASE("an admin connection that offers nothing says so") {
  class Bare : public AdminConnection {};
  const AdminClient admin(std::make_shared<Bare>());
  constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;
  CHECK(admin.GetServerInfo().status().code() == kUnimplemented);
  CHECK(admin.GetStats().status().code() == kUnimplemented);
  CHECK(admin.CheckHealth().status().code() == kUnimplemented);
  CHECK(admin.CreateNamespace({}).status().code() == kUnimplemented);
  CHECK(admin.GetNamespace("").status().code() == kUnimplemented);
  CHECK(admin.ListNamespaces().status().code() == kUnimplemented);
  CHECK(admin.UpdateNamespace({}).status().code() == kUnimplemented);
  CHECK(admin.DeleteNamespace({}).status().code() == kUnimplemented);
}

}  // namespace
}  // namespace tarn::testing
