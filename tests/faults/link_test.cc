// The link between a daemon and its Redis goes down, and comes up again.
#include <chrono>
#include <future>
#include <string>

#include "tarn/client.h"
#include "tests/catch.h"
#include "tests/faults/clients.h"
#include "tests/faults/redis_daemon.h"
#include "tests/faults/stalling_proxy.h"
#include "tests/storage/redis/support/await.h"
#include "tests/storage/redis/support/redis_server.h"
#include "tests/support/http_get.h"

namespace tarn::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

Client Patient(const RedisDaemon& daemon) {
  return *Client::Connect({.endpoint = daemon.endpoint(),
                           .call_timeout = seconds(60),
                           .request_ids = RequestIdUse::kNever,
                           .retry_policy = std::make_shared<LimitedRetryPolicy>(0)});
}

// One attempt after the other until one is done.
PutResult PutAtLast(const Client& client, const std::string& key, const std::string& value) {
  absl::StatusOr<PutResult> put = absl::UnavailableError("not tried");
  AwaitThat("a put", [&] { return (put = client.Put(key, value)).ok(); });
  return *put;
}

// A write is sent into a link that is down; the link comes up for new connections, a newer write
// is done; then what the old connection had sent arrives. Gives what the caller was told.
absl::Status LandsLate(const std::function<absl::Status(const Client&)>& write,
                       const std::string& sent) {
  const RedisServer redis;
  StallingProxy proxy(redis.port());
  RedisDaemon daemon(TcpUrl(proxy.port()));
  const Client client = Patient(daemon);
  PutAtLast(client, "k", "0");
  proxy.StallAt(sent);
  std::future<absl::Status> late = std::async(std::launch::async, [&] { return write(client); });
  AwaitThat("the write is under way", [&] { return proxy.Keeps(sent); });
  AwaitThat("the connection is given up", [&] { return proxy.abandoned_not_yet() == 0; });
  REQUIRE(proxy.Keeps(sent));
  proxy.PassNew();
  const absl::Status told = late.get();
  INFO(told.ToString());
  const PutResult newer = PutAtLast(client, "k", "newer");
  REQUIRE(proxy.Keeps(sent));
  proxy.Release();
  AwaitThat("what was kept is delivered", [&] { return proxy.stalled() == 0; });
  for (int i = 0; i < 100; ++i) {
    const auto read = client.Get("k");
    REQUIRE(read.ok());
    REQUIRE(read->revision == newer.revision);
  }
  return told;
}

// It is known that it was not done, or it was done before the newer one. A daemon that has to wait
// for the machine may have no connection again before its patience with the old one is over.
void LandsLateAndIsKnown(const std::function<absl::Status(const Client&)>& write,
                         const std::string& sent) {
  constexpr int kAttempts = 3;
  absl::Status told = LandsLate(write, sent);
  for (int i = 1; i < kAttempts && IsOutcomeUnknown(told); ++i) told = LandsLate(write, sent);
  INFO(told.ToString());
  CHECK_FALSE(IsOutcomeUnknown(told));
}

TEST_CASE("a put that was kept by a link which was down never lands after a newer one") {
  LandsLateAndIsKnown([](const Client& client) { return client.Put("k", "late").status(); },
                      "late");
}

TEST_CASE("a large put that was kept by a link which was down never lands after a newer one") {
  LandsLateAndIsKnown(
      [](const Client& client) { return client.Put("k", std::string(8'000, 'L')).status(); },
      "LLLL");
}

TEST_CASE("nothing that is kept by a link which goes down again and again lands late") {
  const RedisServer redis;
  StallingProxy proxy(redis.port());
  RedisDaemon daemon(TcpUrl(proxy.port()));
  Clients clients({.endpoints = {daemon.endpoint()}, .timeout = seconds(2), .seed = Seed()});
  for (uint64_t i = 0; i < Count(2, 20); ++i) {
    clients.AwaitAcknowledged(300);
    const std::string write = i % 2 == 0 ? "EVALSHA" : "SET";
    proxy.StallAt(write);
    AwaitThat("writes are under way", [&] { return proxy.Keeps(write); });
    AwaitThat("the connections are given up", [&] { return proxy.abandoned_not_yet() == 0; });
    proxy.PassNew();
    clients.AwaitAcknowledged(300);
    proxy.Release();
  }
  clients.AwaitAcknowledged(300);
  const Told told = clients.Finish(daemon.endpoint());
  WARN(told.Summary());
  CHECK(told.FirstAnomaly() == "none");
  CHECK(told.longest < seconds(2) + kToSayThatItIsOver);
}

TEST_CASE("a link that is down is noticed within ten seconds by a daemon that does nothing") {
  const RedisServer redis;
  StallingProxy proxy(redis.port());
  RedisDaemon daemon(TcpUrl(proxy.port()));
  const Client client = Patient(daemon);
  PutAtLast(client, "k", "0");
  proxy.Stall();
  const auto down = steady_clock::now();
  AwaitThat("all connections are given up", [&] { return proxy.abandoned_not_yet() == 0; });
  const auto noticed = steady_clock::now() - down;
  WARN("noticed after " << noticed / milliseconds(1) << " ms");
  CHECK(noticed < seconds(10));
  // A call is refused at once, or when its time is over; it is not done.
  const auto begin = steady_clock::now();
  const absl::Status refused = client.Get("k", {.timeout = seconds(2)}).status();
  CHECK_FALSE(refused.ok());
  CHECK(steady_clock::now() - begin < seconds(2) + kToSayThatItIsOver);
  proxy.Release();
  PutAtLast(client, "k", "1");
  CHECK(client.Get("k")->value == "1");
}

}  // namespace
}  // namespace tarn::testing
