// What `tarnctl server info` shows of real Redis servers, of each kind.
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/e2e/tarnctl_shell.h"
#include "tests/storage/redis/support/redis_groups.h"
#include "tests/storage/redis/support/redis_server.h"

namespace tarn::cli {
namespace {

using testing::ClusterGroup;
using testing::RedisServer;
using testing::SentinelGroup;

std::vector<std::string> On(const std::string& url) {
  return {"--engine", "redis", "--redis-url", url, "--checkpoint-interval", "0s"};
}

std::string AddressOf(const RedisServer& server) {
  return absl::StrCat("127.0.0.1:", server.port());
}

// What the command prints as soon as `enough` holds of it, or what it prints after thirty seconds:
// the daemon asks the servers every few, and Sentinels and cluster nodes take their time to find
// each other.
template <typename Enough>
std::string InfoWhen(Shell& shell, const std::vector<std::string>& options, const Enough& enough) {
  std::vector<std::string> arguments = options;
  arguments.insert(arguments.end(), {"server", "info"});
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::string out = shell.Run(arguments).out;
  while (!enough(out) && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
    out = shell.Run(arguments).out;
  }
  return out;
}

std::string InfoThatSays(Shell& shell, const std::vector<std::string>& options,
                         const std::string& part) {
  return InfoWhen(shell, options, [&](const std::string& out) { return Says(out, part); });
}

// The line that begins with `start`; empty if there is none.
std::string LineOf(const std::string& text, const std::string& start) {
  const size_t at = text.rfind("\n" + start);
  if (at == std::string::npos) return "";
  return text.substr(at + 1, text.find('\n', at + 1) - at - 1);
}

// How many of the group's servers are told to be replicas that answer.
template <typename Group>
size_t ReachableReplicas(Group& group, const std::string& out) {
  size_t replicas = 0;
  for (size_t i = 0; i < group.size(); ++i) {
    replicas += Says(LineOf(out, AddressOf(group.server(i))), "replica  yes") ? 1 : 0;
  }
  return replicas;
}

TEST_CASE("one Redis is shown with its connections, its memory, and what a write means there") {
  const RedisServer redis(
      {"--appendonly", "yes", "--appendfsync", "always", "--maxmemory", "64mb"});
  Shell shell(On(absl::StrCat("redis://", AddressOf(redis))));
  REQUIRE(shell.Run({"put", "k", "v"}).code == 0);
  const std::string out = InfoThatSays(shell, {"-w", "table"}, "sync_always");
  CHECK(Says(LineOf(out, "redis_topology:"), "standalone"));
  CHECK(Says(LineOf(out, "redis_ownership:"), "owner"));
  CHECK(
      Says(LineOf(out, "redis_acknowledged_write:"), "logged and synced it (appendfsync always)"));
  CHECK(Says(LineOf(out, "redis_acknowledged_write:"), "a failover may lose it"));
  const std::string node = LineOf(out, AddressOf(redis));
  for (const char* part : {"primary", "yes", "closed", "64.0 MiB", "sync_always"}) {
    INFO(out);
    CHECK(Says(node, part));
  }
  // The latency, on a busy machine the longer.
  CHECK((Says(node, "us ") || Says(node, "ms ")));
}

TEST_CASE("in JSON, Redis is one object with a list of nodes") {
  const RedisServer redis;
  Shell shell(On("unix://" + redis.unix_path()));
  const std::string out = InfoThatSays(shell, {"-w", "json"}, R"("persistence":"no_log")");
  for (const std::string& part :
       {std::string(R"("redis":{"topology":"standalone")"), std::string(R"("ownership":"owner")"),
        absl::StrCat(R"("nodes":[{"address":")", redis.unix_path(), "\""),
        std::string(R"("role":"primary","reachable":true)"), std::string(R"("breaker":"closed")"),
        std::string("\"latency_us\":"), std::string("\"memory_used_bytes\":")}) {
    INFO(out);
    CHECK(Says(out, part));
  }
}

TEST_CASE("in simple output a node is one line of fields") {
  const RedisServer redis;
  Shell shell(On("unix://" + redis.unix_path()));
  const std::string out = InfoThatSays(shell, {"-w", "simple"}, "no_log");
  CHECK(Says(out, redis.unix_path() + "\tprimary\tyes\t-\t"));
}

TEST_CASE("a user that may not read the configuration does not know how the log is synced") {
  const RedisServer redis(
      {"--appendonly", "yes", "--user", "tarn", "on", "nopass", "~*", "&*", "+@all", "-config"});
  Shell shell(On(absl::StrCat("redis://tarn:any@", AddressOf(redis))));
  const std::string out = InfoThatSays(shell, {"-w", "table"}, " log ");
  CHECK(Says(LineOf(out, "redis_acknowledged_write:"), "how its log is synced is unknown"));
  CHECK_FALSE(Says(out, "tarn:any"));
  CHECK(shell.Run({"put", "k", "v"}).code == 0);
}

TEST_CASE("a primary found by Sentinels is shown with its replicas") {
  SentinelGroup group;
  Shell shell(On(group.url("?wait_replicas=1")));
  REQUIRE(shell.Run({"put", "k", "v"}).code == 0);
  const std::string out = InfoWhen(shell, {"-w", "table"}, [&](const std::string& text) {
    return ReachableReplicas(group, text) == 2 && Says(LineOf(text, "redis_sentinels:"), "3");
  });
  INFO(out);
  CHECK(Says(LineOf(out, "redis_topology:"), "sentinel"));
  CHECK(Says(LineOf(out, "redis_sentinels:"), "3"));
  CHECK(Says(LineOf(out, "redis_wait_replicas:"), "1"));
  CHECK(Says(LineOf(out, "redis_acknowledged_write:"), "1 replica has it"));
  CHECK(Says(LineOf(out, AddressOf(group.primary())), "primary"));
  CHECK(ReachableReplicas(group, out) == 2);
}

TEST_CASE("the nodes of a cluster are shown with their slots and replicas") {
  ClusterGroup group;
  Shell shell(On(group.url()));
  const std::string out = InfoWhen(shell, {"-w", "table"}, [&](const std::string& text) {
    return ReachableReplicas(group, text) == 3;
  });
  INFO(out);
  CHECK(Says(LineOf(out, "redis_topology:"), "cluster"));
  const char* const slots[] = {"0-5460", "5461-10921", "10922-16383"};
  for (size_t i = 0; i < group.size(); ++i) {
    const std::string line = LineOf(out, AddressOf(group.server(i)));
    // On a busy machine a replica may have taken over.
    if (group.IsPrimary(i)) CHECK(Says(line, slots[i % 3]));
  }
  CHECK(ReachableReplicas(group, out) == 3);
}

TEST_CASE("a daemon whose Redis is not there says that it is connecting") {
  RedisServer redis;
  redis.Kill();
  testing::TempDir dir;
  const std::string endpoint = absl::StrCat("unix:", dir / "tarn.sock");
  std::vector<std::string> arguments = On("unix://" + redis.unix_path());
  arguments.insert(arguments.end(), {"--listen", endpoint});
  testing::DaemonProcess daemon({.directory = dir.path(),
                                 .arguments = arguments,
                                 .await = testing::DaemonProcess::Options::Await::kNothing});
  daemon.AwaitLog("waiting for unix://");
  const Outcome info = Shell::RunAt(endpoint, {"-w", "table", "server", "info"});
  CHECK(info.code == 0);
  CHECK(Says(LineOf(info.out, "redis_ownership:"), "connecting"));
  CHECK(Says(LineOf(info.out, redis.unix_path()), "primary  no"));
  redis.Restart();
  daemon.AwaitServing();
}

}  // namespace
}  // namespace tarn::cli
