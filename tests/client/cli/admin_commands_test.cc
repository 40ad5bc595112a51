// ns, server and stat, above an admin connection of the test's own.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/client/cli/terminal.h"

namespace tarn::cli {
namespace {

using std::chrono::milliseconds;

// Answers what it was told to, and remembers what it was asked.
struct FakeAdmin : AdminConnection {
  ServerInfo info;
  std::vector<Stats> stats;  // One after the other; the last for ever.
  size_t stats_calls = 0;
  Health health = Health::kServing;
  std::vector<NamespaceInfo> namespaces;
  absl::Status failure;
  CreateNamespaceParams created;
  UpdateNamespaceParams updated;
  DeleteNamespaceParams deleted;

  template <typename T>
  absl::StatusOr<T> Answer(T value) const {
    if (!failure.ok()) return failure;
    return value;
  }
  absl::StatusOr<ServerInfo> GetServerInfo(Timeout) override { return Answer(info); }
  absl::StatusOr<Stats> GetStats(Timeout) override {
    return Answer(stats[std::min(stats_calls++, stats.size() - 1)]);
  }
  absl::StatusOr<Health> CheckHealth(Timeout) override { return Answer(health); }
  absl::StatusOr<NamespaceInfo> CreateNamespace(CreateNamespaceParams params) override {
    created = params;
    return Answer(NamespaceInfo{.name = params.name, .settings = params.settings});
  }
  absl::StatusOr<NamespaceInfo> GetNamespace(std::string name, Timeout) override {
    return Answer(NamespaceInfo{.name = name, .entry_count = 7});
  }
  absl::StatusOr<std::vector<NamespaceInfo>> ListNamespaces(Timeout) override {
    return Answer(namespaces);
  }
  absl::StatusOr<NamespaceInfo> UpdateNamespace(UpdateNamespaceParams params) override {
    updated = params;
    return Answer(NamespaceInfo{.name = params.name});
  }
  absl::StatusOr<DeleteNamespaceResult> DeleteNamespace(DeleteNamespaceParams params) override {
    deleted = params;
    return Answer(DeleteNamespaceResult{12});
  }
};

struct Admin : Terminal {
  std::shared_ptr<FakeAdmin> fake = std::make_shared<FakeAdmin>();
  Admin() { admin = fake; }
};

TEST_CASE("health is a word and an exit code") {
  Admin t;
  const Outcome serving = t.Run({"server", "health"});
  CHECK((serving.code == 0 && serving.out == "SERVING\n"));
  t.fake->health = Health::kNotServing;
  const Outcome not_serving = t.Run({"server", "health"});
  CHECK((not_serving.code == 6 && not_serving.out == "NOT_SERVING\n"));
  t.fake->failure = MakeError(absl::StatusCode::kUnavailable, Reason::kNotConnected, "no");
  CHECK(t.Run({"server", "health"}).code == 6);
}

TEST_CASE("the server's description is printed for people and for programs") {
  Admin t;
  t.fake->info.version = "9.9";
  t.fake->info.engine = "memory";
  t.fake->info.state = ServerState::kServing;
  t.fake->info.limits.max_value_bytes = 2 << 20;
  t.fake->info.revision = 77;
  const std::string text = t.Run({"server", "info"}).out;
  CHECK(Says(text, "engine:"));
  CHECK(Says(text, "2.0 MiB"));
  const std::string json = t.Run({"-w", "json", "server", "info"}).out;
  CHECK(Says(json, R"("state":"serving")"));
  CHECK(Says(json, R"("max_value_bytes":2097152)"));
  CHECK(Says(json, R"("revision":"77")"));
}

TEST_CASE("states and durabilities have names") {
  for (const auto& [state, name] :
       std::vector<std::pair<ServerState, std::string>>{{ServerState::kStarting, "starting"},
                                                        {ServerState::kStandby, "standby"},
                                                        {ServerState::kDraining, "draining"},
                                                        {ServerState::kUnknown, "unknown"}}) {
    Admin t;
    t.fake->info.state = state;
    CHECK(Says(t.Run({"-w", "json", "server", "info"}).out, "\"state\":\"" + name + "\""));
  }
  for (const auto& [durability, name] :
       std::vector<std::pair<Durability, std::string>>{{Durability::kMemory, "memory"},
                                                       {Durability::kOs, "os"},
                                                       {Durability::kDisk, "disk"},
                                                       {Durability::kExternal, "external"},
                                                       {Durability::kUnknown, "unknown"}}) {
    Admin t;
    t.fake->info.capabilities.durability = durability;
    CHECK(Says(t.Run({"-w", "json", "server", "info"}).out, "\"durability\":\"" + name + "\""));
  }
}

TEST_CASE("figures are printed") {
  Admin t;
  Stats stats;
  stats.entry_count = 5;
  stats.operations = {{OperationKind::kTouch, 3, 1}};
  stats.oldest_snapshot_age = milliseconds(1500);
  t.fake->stats = {stats};
  const std::string json = t.Run({"-w", "json", "server", "stats"}).out;
  CHECK(Says(json, R"("entry_count":5)"));
  CHECK(Says(json, R"("touch_success_count":3,"touch_failure_count":1)"));
  CHECK(Says(json, R"("oldest_snapshot_age":"1s500ms")"));
}

TEST_CASE("namespaces are listed by name") {
  Admin t;
  t.fake->namespaces = {
      {.name = "default"},
      {.name = "app", .settings = {.default_ttl = milliseconds(5000), .quota_bytes = 9}}};
  CHECK(t.Run({"ns", "list"}).out == "default\napp\n");
  const std::string table = t.Run({"ns", "list", "-w", "table"}).out;
  CHECK(Says(table, "DEFAULT TTL"));
  CHECK(Says(table, "5s"));
  CHECK(Says(t.Run({"ns", "show", "app"}).out, "entry_count:"));
}

TEST_CASE("a namespace is created with what was said") {
  Admin t;
  REQUIRE(t.Run({"ns", "create", "app", "--default-ttl", "1h", "--quota-bytes", "10MB",
                 "--quota-entries", "5", "--together"})
              .code == 0);
  CHECK(t.fake->created.name == "app");
  CHECK(t.fake->created.settings.default_ttl == std::chrono::hours(1));
  CHECK(t.fake->created.settings.quota_bytes >= 10'000'000);
  CHECK(t.fake->created.settings.quota_entries == 5);
  CHECK(t.fake->created.settings.placement == Placement::kTogether);
  CHECK(t.Run({"ns", "create", "app", "--default-ttl", "never"}).code == 2);
}

TEST_CASE("an update changes only what it names") {
  Admin t;
  CHECK(t.Run({"ns", "update", "app"}).code == 2);
  REQUIRE(t.Run({"ns", "update", "app", "--default-ttl", "never", "--if-revision", "9"}).code == 0);
  CHECK(t.fake->updated.change.default_ttl == Ttl::Never());
  CHECK_FALSE(t.fake->updated.change.quota_bytes.has_value());
  CHECK(t.fake->updated.expected_revision == 9);
  REQUIRE(t.Run({"ns", "update", "app", "--quota-entries", "0"}).code == 0);
  CHECK(t.fake->updated.change.quota_entries == 0);
}

TEST_CASE("a namespace's entries go with it only by force") {
  Admin t;
  CHECK(t.Run({"ns", "delete", "app"}).out == "12\n");
  CHECK(t.fake->deleted.with_entries == WithEntries::kRefuse);
  t.Run({"ns", "delete", "app", "--force"});
  CHECK(t.fake->deleted.with_entries == WithEntries::kDelete);
}

TEST_CASE("stat prints rates between two looks, and survives a restart of the server") {
  Admin t;
  Stats first;
  first.operations = {{OperationKind::kGet, 100, 1}, {OperationKind::kPut, 10, 0}};
  Stats second = first;
  second.operations = {{OperationKind::kGet, 300, 5}, {OperationKind::kPut, 20, 0}};
  second.entry_count = 42;
  Stats restarted;
  restarted.operations = {{OperationKind::kGet, 1, 0}};
  t.fake->stats = {first, second, restarted};
  const Outcome stat = t.Run({"stat", "--interval", "2s", "--count", "2", "-w", "json"});
  CHECK(stat.code == 0);
  CHECK(Says(stat.out, R"({"get":100,"put":5,"delete":0,"modify":0,"failed":2)"));
  CHECK(Says(stat.out, R"("entries":42)"));
  CHECK(Says(stat.out, R"({"get":0,)"));
  CHECK(t.Run({"stat", "--interval", "0s"}).code == 2);
}

TEST_CASE("stat repeats its header in a table, and ends with Ctrl-C") {
  Admin t;
  t.fake->stats = {Stats{}};
  const std::string table = t.Run({"stat", "--count", "25", "-w", "table"}).out;
  CHECK(Says(table, "entries"));
  CHECK(std::count(table.begin(), table.end(), '\n') == 27);
  t.questions_before_interrupt = 3;
  const Outcome ended = t.Run({"stat"});
  CHECK(ended.code == 130);
  CHECK(std::count(ended.out.begin(), ended.out.end(), '\n') == 4);
}

TEST_CASE("every admin command passes its error on") {
  Admin t;
  t.fake->failure = MakeError(absl::StatusCode::kPermissionDenied, Reason::kPermissionDenied, "no");
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"server", "info"},
                                             {"server", "stats"},
                                             {"server", "health"},
                                             {"stat"},
                                             {"ns", "list"},
                                             {"ns", "show", "a"},
                                             {"ns", "create", "a"},
                                             {"ns", "update", "a", "--quota-bytes", "1"},
                                             {"ns", "delete", "a"}}) {
    t.fake->stats = {Stats{}};
    const Outcome failed = t.Run(arguments);
    CHECK(failed.code == 9);
    CHECK(failed.out.empty());
    CHECK(Says(failed.err, "PERMISSION_DENIED"));
  }
}

}  // namespace
}  // namespace tarn::cli
