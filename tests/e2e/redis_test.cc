// A real daemon whose state lives in a real Redis.
#include <chrono>
#include <csignal>
#include <string>

#include "tests/catch.h"
#include "tests/e2e/checkpoint_client.h"
#include "tests/storage/redis/support/redis_server.h"
#include "tests/storage/redis/support/subject.h"
#include "tests/support/daemon.h"
#include "tests/support/http_get.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

DaemonProcess::Options On(const RedisServer& redis, const TempDir& dir) {
  return {.directory = dir.path(),
          .arguments = {"--engine", "redis", "--redis-url", "unix://" + redis.unix_path(),
                        "--checkpoint-interval", "0s"}};
}

TEST_CASE("state in Redis survives the daemon, however it ends") {
  const RedisServer redis;
  const TempDir dir;
  DaemonProcess daemon(On(redis, dir));
  REQUIRE(RawClient(daemon.grpc()).Put("a", "1") == "OK");
  const uint64_t revision = RawClient(daemon.grpc()).RevisionOf("a");
  daemon.Kill();
  // It need not wait until it is taken for dead: nobody else has its data directory.
  daemon.Start();
  RawClient client(daemon.grpc());
  CHECK(client.Get("a") == "1");
  REQUIRE(client.Put("b", "2") == "OK");
  CHECK(client.RevisionOf("b") > revision);
  CHECK(client.All() == "a=1 b=2");
  CHECK(daemon.Stop() == 0);
}

TEST_CASE("a checkpoint of what is in Redis is restored into it") {
  const RedisServer redis;
  const TempDir dir;
  DaemonProcess daemon(On(redis, dir));
  CheckpointClient client(daemon.grpc());
  REQUIRE(client.raw().Put("a", "1") == "OK");
  const uint64_t revision = client.raw().RevisionOf("a");
  const std::string id = client.Create();
  REQUIRE(client.raw().Put("a", "2") == "OK");
  REQUIRE(client.raw().Put("b", "2") == "OK");
  CHECK(client.Restore(id) == id);
  CHECK(client.raw().All() == "a=1");
  CHECK(client.raw().RevisionOf("a") == revision);
  CHECK(daemon.Stop() == 0);
}

TEST_CASE("a daemon that starts without its Redis lives, and serves as soon as that is there") {
  RedisServer redis;
  redis.Kill();
  const TempDir dir;
  DaemonProcess::Options options = On(redis, dir);
  options.await = DaemonProcess::Options::Await::kNothing;
  DaemonProcess daemon(options);
  daemon.AwaitLog("waiting for unix://");
  redis.Restart();
  daemon.AwaitServing();
  CHECK(HttpGet(daemon.http(), "/readyz").status == 200);
  CHECK(RawClient(daemon.grpc()).Put("a", "1") == "OK");
}

TEST_CASE("a daemon that waits for its Redis stops when it is told to") {
  RedisServer redis;
  redis.Kill();
  const TempDir dir;
  DaemonProcess::Options options = On(redis, dir);
  options.await = DaemonProcess::Options::Await::kNothing;
  DaemonProcess daemon(options);
  daemon.AwaitLog("waiting for unix://");
  CHECK(daemon.Stop() == 0);
}

// Waits until /readyz says so.
void AwaitReady(const DaemonProcess& daemon, const std::string& body) {
  std::string seen;
  const auto end = std::chrono::steady_clock::now() + DaemonProcess::kPatience;
  do {
    seen = HttpGet(daemon.http(), "/readyz").body;
  } while (seen != body && std::chrono::steady_clock::now() < end);
  CHECK(seen == body);
}

TEST_CASE("a daemon is ready only while its Redis can be used") {
  RedisServer redis({"--appendonly", "yes", "--appendfsync", "always"});
  const TempDir dir;
  const DaemonProcess daemon(On(redis, dir));
  RawClient client(daemon.grpc());
  AwaitReady(daemon, "ready\n");
  redis.Kill();
  AwaitReady(daemon, "not ready: Redis cannot be reached\n");
  redis.Restart();
  AwaitReady(daemon, "ready\n");
  Subject admin(To(redis));
  REQUIRE(admin.Ask({"ACL", "SETUSER", "default", "-set", "-eval"}) == "OK");
  CHECK(client.Put("a", "1") == "INTERNAL ENGINE_ERROR");
  AwaitReady(daemon, "not ready: Redis refuses this tarnd's user a command that it needs\n");
  REQUIRE(admin.Ask({"ACL", "SETUSER", "default", "+@all"}) == "OK");
  AwaitReady(daemon, "ready\n");
  CHECK(client.Put("a", "1") == "OK");
}

TEST_CASE("a Redis that is older than the data directory is found out at the start") {
  const RedisServer redis;
  const TempDir dir;
  DaemonProcess daemon(On(redis, dir));
  Subject admin(To(redis));
  REQUIRE(admin.Ask({"COPY", "tarn{4L}m", "saved"}) == "(integer) 1");
  CHECK(daemon.Stop() == 0);
  daemon.Start();
  CHECK(daemon.log().find("is older than it was") == std::string::npos);
  CHECK(daemon.Stop() == 0);
  REQUIRE(admin.Ask({"COPY", "saved", "tarn{4L}m", "REPLACE"}) == "(integer) 1");
  daemon.Start();
  daemon.AwaitLog("the redis engine is older than it was: it knows of 1 incarnations");
  RawClient client(daemon.grpc());
  REQUIRE(client.Put("a", "1") == "OK");
  CHECK(client.RevisionOf("a") >> 40 == 3);
}

TEST_CASE("a standby says who owns the store, and serves when that one ends") {
  const RedisServer redis;
  const TempDir owner_dir;
  const TempDir standby_dir;
  DaemonProcess owner(On(redis, owner_dir));
  DaemonProcess::Options options = On(redis, standby_dir);
  const std::string address = "unix:" + standby_dir.path() + "/grpc";
  options.arguments.insert(options.arguments.end(), {"--listen", address});
  options.await = DaemonProcess::Options::Await::kNothing;
  DaemonProcess standby(options);
  standby.AwaitLog("standby: the store is owned by tarnd, process " + std::to_string(owner.pid()));
  CHECK(RawClient(address).Put("a", "1") == "UNAVAILABLE NOT_OWNER");
  CHECK(RawClient(address).Get("a") == "UNAVAILABLE NOT_OWNER");
  CHECK(owner.Stop() == 0);
  standby.AwaitServing();
  CHECK(RawClient(standby.grpc()).Put("a", "1") == "OK");
}

TEST_CASE("a paused daemon whose store was taken over writes nothing when it wakes, and ends") {
  const RedisServer redis;
  const TempDir old_dir;
  const TempDir young_dir;
  DaemonProcess old(On(redis, old_dir));
  REQUIRE(RawClient(old.grpc()).Put("a", "old") == "OK");
  old.Signal(SIGSTOP);
  DaemonProcess::Options options = On(redis, young_dir);
  options.arguments.emplace_back("--take-over");
  DaemonProcess young(options);
  RawClient client(young.grpc());
  CHECK(client.Get("a") == "old");
  REQUIRE(client.Put("a", "young") == "OK");
  old.Signal(SIGCONT);
  CHECK(old.Wait() == 8);
  CHECK(client.Get("a") == "young");
}

}  // namespace
}  // namespace tarn::testing
