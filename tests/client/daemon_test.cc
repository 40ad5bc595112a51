// libtarn against the real daemon: the same cases as its fake passes, and what only a daemon shows.
#include "tests/support/daemon.h"

#include <future>
#include <string>
#include <vector>

#include "tarn/admin.h"
#include "tests/catch.h"
#include "tests/client/store_cases.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

using std::chrono::milliseconds;

struct Running {
  TempDir dir;
  DaemonProcess daemon;
  ClientOptions options;
  Client client;
  AdminClient admin;

  explicit Running(const std::string& engine, const std::string& creation = "on-first-write")
      : daemon({.directory = dir.path(),
                .arguments = {"--engine", engine, "--namespace-creation", creation}}),
        options({.endpoint = daemon.grpc()}),
        client(*Client::Connect(options)),
        admin(*AdminClient::Connect(options)) {}

  Subject subject() {
    return {
        .client = client,
        .create_namespace = [this](const std::string& name,
                                   const NamespaceSettings& settings) -> absl::StatusOr<Client> {
          const auto created = admin.CreateNamespace({name, settings});
          if (!created.ok()) return created.status();
          return client.WithNamespace(name);
        },
        .let_entries_expire =
            [this] {
              REQUIRE(client.Put("probe", "", {.ttl = Ttl::Of(milliseconds(3))}).ok());
              while (client.Get("probe")->found) {
              }
            }};
  }
};

void RunCases(std::span<const StoreCase> cases, const std::string& engine,
              const std::string& creation = "on-first-write") {
  for (const StoreCase& one : cases) {
    DYNAMIC_SECTION(one.name) {
      Running running(engine, creation);
      Subject subject = running.subject();
      one.run(subject);
    }
  }
}

TEST_CASE("a daemon with the memory engine does what every store must do") {
  RunCases(StoreCases(), "memory");
}

TEST_CASE("a daemon with the rocksdb engine does what every store must do") {
  RunCases(StoreCases(), "rocksdb");
}

TEST_CASE("a daemon with explicit namespaces does what every such store must do") {
  RunCases(ExplicitNamespaceCases(), "memory", "explicit");
}

TEST_CASE("a daemon describes itself and its namespaces") {
  Running running("memory");
  const auto info = running.admin.GetServerInfo();
  REQUIRE(info.ok());
  CHECK(info->engine == "memory");
  CHECK(info->state == ServerState::kServing);
  CHECK(info->store_id.size() == 32);
  CHECK(info->limits.max_key_bytes == 4096);
  CHECK(info->limits.max_ttl > std::chrono::hours(24));
  CHECK(info->capabilities.durability == Durability::kMemory);
  CHECK(*running.admin.CheckHealth() == Health::kServing);
  REQUIRE(running.admin.CreateNamespace({"app", {.quota_entries = 5}}).ok());
  REQUIRE(running.client.WithNamespace("app").Put("k", "v").ok());
  const auto app = running.admin.GetNamespace("app");
  CHECK((app->entry_count == 1 && app->size_bytes == 2 && app->settings.quota_entries == 5));
  const auto changed = running.admin.UpdateNamespace(
      {"app", {.default_ttl = Ttl::Of(std::chrono::hours(1)), .quota_entries = 0}});
  REQUIRE(changed.ok());
  CHECK(changed->settings.default_ttl == std::chrono::hours(1));
  CHECK(changed->settings.quota_entries == 0);
  CHECK(ReasonOf(
            running.admin.UpdateNamespace({"app", {.quota_bytes = 1}, app->revision}).status()) ==
        Reason::kRevisionMismatch);
  CHECK(running.admin.ListNamespaces()->size() == 2);
  CHECK(ReasonOf(running.admin.DeleteNamespace({"app"}).status()) == Reason::kNamespaceNotEmpty);
  CHECK(running.admin.DeleteNamespace({"app", WithEntries::kDelete})->deleted_count == 1);
  const auto stats = running.admin.GetStats();
  REQUIRE(stats.ok());
  CHECK(stats->namespace_count == 1);
  CHECK(stats->operations.size() == 7);
}

TEST_CASE("a long scan arrives whole, in order, at one revision") {
  Running running("memory");
  constexpr int kEntries = 20'000;
  Pipeline pipeline = running.client.OpenPipeline();
  for (int i = 0; i < kEntries; ++i) {
    REQUIRE(pipeline
                .Add(Operation::Put(std::to_string(100'000 + i), std::string(100, 'v')),
                     [](const auto& result) { REQUIRE(result.ok()); })
                .ok());
  }
  REQUIRE(pipeline.Close().ok());
  int next = 0;
  for (absl::StatusOr<Entry>& entry : running.client.Scan()) {
    REQUIRE(entry.ok());
    REQUIRE(entry->key == std::to_string(100'000 + next++));
    // What is written meanwhile is not seen.
    if (next % 1000 == 0) REQUIRE(running.client.Put("2" + std::to_string(next), "new").ok());
  }
  CHECK(next == kEntries);
}

TEST_CASE("large values gathered into one message all arrive") {
  Running running("memory");
  const std::string large(1 << 20, 'x');
  for (int i = 0; i < 8; ++i) REQUIRE(running.client.Put(std::to_string(i), large).ok());
  Pipeline pipeline = running.client.OpenPipeline({.max_unanswered_messages = 1});
  std::vector<std::future<absl::StatusOr<OperationResult>>> futures;
  for (int i = 0; i < 24; ++i)
    futures.push_back(pipeline.Add(Operation::Get(std::to_string(i % 8))));
  for (auto& future : futures) {
    const auto got = future.get();
    INFO(got.status().ToString());
    REQUIRE(got.ok());
    CHECK(got->value.size() == large.size());
  }
}

TEST_CASE("a pipeline outlives a daemon that is killed and started again") {
  Running running("rocksdb");
  Pipeline pipeline = running.client.OpenPipeline();
  std::atomic<int> done{0};
  std::atomic<int> unknown{0};
  std::atomic<int> other{0};
  const auto count = [&](const absl::StatusOr<OperationResult>& result) {
    ++(result.ok() ? done : IsOutcomeUnknown(result.status()) ? unknown : other);
  };
  constexpr int kEach = 5'000;
  for (int i = 0; i < kEach; ++i) REQUIRE(pipeline.Add(Operation::Increment("n", 1), count).ok());
  running.daemon.Kill();
  running.daemon.Start();
  for (int i = 0; i < kEach; ++i) REQUIRE(pipeline.Add(Operation::Increment("n", 1), count).ok());
  REQUIRE(pipeline.Close().ok());
  CHECK(done + unknown == 2 * kEach);
  CHECK(other == 0);
  // Every acknowledged one took effect, and no other more than once.
  const auto n = running.client.Increment("n", 0);
  REQUIRE(n.ok());
  CHECK(n->number >= done);
  CHECK(n->number <= done + unknown);
}

TEST_CASE("a call made while the daemon is down waits for it within its deadline") {
  Running running("rocksdb");
  REQUIRE(running.client.Put("k", "v").ok());
  CHECK(running.daemon.Stop() == 0);
  std::promise<absl::StatusOr<IncrementResult>> done;
  running.client.AsyncIncrement("n", 1, {.timeout = std::chrono::seconds(30)},
                                [&](auto result) { done.set_value(std::move(result)); });
  running.daemon.Start();
  const auto result = done.get_future().get();
  REQUIRE(result.ok());
  CHECK(result->number == 1);
  CHECK(running.client.Get("k")->value == "v");
}

}  // namespace
}  // namespace tarn::testing
