// One Redis that is killed, stopped, or full, under concurrent clients.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "tests/catch.h"
#include "tests/faults/clients.h"
#include "tests/faults/redis_daemon.h"
#include "tests/storage/redis/support/redis_client.h"
#include "tests/storage/redis/support/redis_server.h"

namespace tarn::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ClientsOptions To(const RedisDaemon& daemon) {
  return {.endpoints = {daemon.endpoint()}, .seed = Seed()};
}

TEST_CASE("what clients of a daemon on Redis are told is linearizable") {
  const RedisServer redis;
  RedisDaemon daemon(UnixUrl(redis));
  Clients clients(To(daemon));
  clients.AwaitAcknowledged(Count(3'000, 200'000));
  const Told told = clients.Finish(daemon.endpoint());
  WARN(told.Summary());
  CHECK(told.FirstAnomaly() == "none");
  CHECK(told.unknown == 0);
  CHECK(told.refusals.empty());
}

const std::vector<std::string> kSynced = {"--appendonly", "yes", "--appendfsync", "always"};

TEST_CASE("nothing acknowledged is lost, and nothing refused is done, when Redis is killed") {
  RedisServer redis(kSynced);
  RedisDaemon daemon(UnixUrl(redis));
  ClientsOptions options = To(daemon);
  options.timeout = seconds(1);
  Clients clients(options);
  const uint64_t kills = Count(4, 30);
  for (uint64_t i = 0; i < kills; ++i) {
    clients.AwaitAcknowledged(200);
    redis.Kill();
    if (i % 2 == 1) clients.AwaitCalls(20);
    redis.Restart();
  }
  clients.AwaitAcknowledged(200);
  const Told told = clients.Finish(daemon.endpoint());
  WARN(kills << " kills: " << told.Summary());
  CHECK(told.FirstAnomaly() == "none");
}

// The newest part of what Redis has written.
std::filesystem::path NewestLog(const RedisServer& redis) {
  const auto directory = std::filesystem::path(redis.unix_path()).parent_path() / "appendonlydir";
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    if (file.path().string().find(".incr.aof") != std::string::npos) return file.path();
  }
  throw std::runtime_error("Redis has no log");
}

TEST_CASE("a Redis that has lost acknowledged writes is found out") {
  RedisServer redis(kSynced);
  RedisDaemon daemon(UnixUrl(redis));
  Clients clients(To(daemon));
  clients.AwaitAcknowledged(500);
  redis.Kill();
  const auto log = NewestLog(redis);
  std::filesystem::resize_file(log, std::filesystem::file_size(log) * 3 / 4);
  redis.Restart();
  clients.AwaitAcknowledged(200);
  CHECK(clients.Finish(daemon.endpoint()).FirstAnomaly() != "none");
}

TEST_CASE("while Redis stands still every call ends by its deadline, and no answer goes astray") {
  RedisServer redis;
  RedisDaemon daemon(UnixUrl(redis));
  ClientsOptions options = To(daemon);
  options.timeout = seconds(2);
  Clients clients(options);
  for (uint64_t i = 0; i < Count(1, 6); ++i) {
    clients.AwaitAcknowledged(300);
    redis.Signal(SIGSTOP);
    std::this_thread::sleep_for(seconds(5));  // Longer than the daemon's own patience.
    redis.Signal(SIGCONT);
  }
  clients.AwaitAcknowledged(300);
  const Told told = clients.Finish(daemon.endpoint());
  WARN(told.Summary());
  CHECK(told.FirstAnomaly() == "none");
  CHECK(told.longest < options.timeout + kToSayThatItIsOver);
}

std::string UsedMemory(RedisClient& admin) {
  const std::string info = admin.Ask({"INFO", "memory"});
  const size_t at = info.find("used_memory:") + 12;
  return info.substr(at, info.find_first_not_of("0123456789", at) - at);
}

TEST_CASE("a Redis without memory refuses by name, loses nothing, and recovers") {
  const RedisServer redis;
  RedisDaemon daemon(UnixUrl(redis));
  RedisClient admin(redis.port());
  Clients clients(To(daemon));
  for (uint64_t i = 0; i < Count(3, 30); ++i) {
    clients.AwaitAcknowledged(200);
    REQUIRE(admin.Ask({"CONFIG", "SET", "maxmemory", UsedMemory(admin)}) == "OK");
    clients.AwaitCalls(200);
    REQUIRE(admin.Ask({"CONFIG", "SET", "maxmemory", i % 2 == 0 ? "1" : "100000"}) == "OK");
    clients.AwaitCalls(200);
    REQUIRE(admin.Ask({"CONFIG", "SET", "maxmemory", "0"}) == "OK");
  }
  clients.AwaitAcknowledged(200);
  const Told told = clients.Finish(daemon.endpoint());
  WARN(told.Summary());
  CHECK(told.FirstAnomaly() == "none");
  CHECK(told.unknown == 0);
  CHECK(told.refusals.count("RESOURCE_EXHAUSTED MEMORY_LIMIT") == 1);
  CHECK(told.refusals.size() == 1);
}

}  // namespace
}  // namespace tarn::testing
