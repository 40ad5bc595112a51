// Several daemons and one store in Redis: one of them owns it, and only that one writes.
#include <signal.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "tests/catch.h"
#include "tests/faults/clients.h"
#include "tests/faults/redis_daemon.h"
#include "tests/faults/stalling_proxy.h"
#include "tests/storage/redis/support/await.h"
#include "tests/storage/redis/support/redis_client.h"
#include "tests/storage/redis/support/redis_groups.h"
#include "tests/storage/redis/support/redis_server.h"

namespace tarn::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int kDeposed = 8;  // The exit code.

// Counts the owners that a store has had, by looking all the time.
class OwnerWatch {
 public:
  explicit OwnerWatch(uint16_t port) : port_(port), thread_([this] { Watch(); }) {}
  ~OwnerWatch() {
    stop_ = true;
    thread_.join();
  }

  size_t owners() const {
    const std::lock_guard lock(mutex_);
    return seen_.size();
  }

 private:
  void Watch() {
    RedisClient redis(port_);
    while (!stop_) {
      const std::string record = redis.Ask({"GET", "tarn{4L}o"});
      if (record != "(nil)" && record != "gone") {
        const std::lock_guard lock(mutex_);
        seen_.insert(record);
      }
      std::this_thread::sleep_for(milliseconds(5));
    }
  }

  const uint16_t port_;
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::set<std::string> seen_;
  std::thread thread_;
};

void Pause(RedisDaemon& daemon, milliseconds span) {
  daemon.process().Signal(SIGSTOP);
  std::this_thread::sleep_for(span);
  daemon.process().Signal(SIGCONT);
}

// A standby takes a store whose owner has been silent for ten seconds: pauses are shorter and, in
// the long run, every third is longer.
milliseconds NextPause(std::mt19937& random) {
  const bool is_long = Soak() && random() % 3 == 0;
  return is_long ? milliseconds(11'000 + random() % 3'000) : milliseconds(random() % 1'500);
}

TEST_CASE("two daemons that are paused by chance change the ownership once at most") {
  const RedisServer redis;
  RedisDaemon first(UnixUrl(redis));
  RedisDaemon second(UnixUrl(redis), Start::kStands);
  second.process().AwaitLog("standby");
  const OwnerWatch watch(redis.port());
  Clients clients(
      {.endpoints = {first.endpoint(), second.endpoint()}, .timeout = seconds(1), .seed = Seed()});
  std::mt19937 random(Seed());
  const auto end = steady_clock::now() + seconds(Count(6, 60));
  while (steady_clock::now() < end) {
    RedisDaemon& victim = random() % 2 == 0 ? first : second;
    Pause(victim, NextPause(random));
    std::this_thread::sleep_for(milliseconds(random() % 500));
  }
  clients.AwaitAcknowledged(100);
  CHECK(watch.owners() <= 2);
  const Told told = clients.Finish(watch.owners() == 1 ? first.endpoint() : second.endpoint());
  WARN(watch.owners() << " owners: " << told.Summary());
  CHECK(told.FirstAnomaly() == "none");
  if (watch.owners() == 2) CHECK(first.process().Wait() == kDeposed);
}

// Writes under way, the owner stops until another daemon has taken the store over and written, and
// wakes, with calls before it whose time is not over yet.
void WakesDeposed(const std::string& url, const std::string& prefix) {
  RedisDaemon old(url);
  auto clients = std::make_unique<Clients>(ClientsOptions{.endpoints = {old.endpoint()},
                                                          .threads = 24,
                                                          .prefix = prefix,
                                                          .timeout = seconds(20),
                                                          .seed = Seed()});
  clients->AwaitAcknowledged(300);
  old.process().Signal(SIGSTOP);
  RedisDaemon young(url, Start::kServes);
  Clients others({.endpoints = {young.endpoint()}, .prefix = prefix, .seed = Seed() + 100});
  others.AwaitAcknowledged(300);
  old.process().Signal(SIGCONT);
  CHECK(old.process().Wait() == kDeposed);
  others.AwaitAcknowledged(300);
  Told told = clients->Finish(young.endpoint());
  told.Add(others.Finish(young.endpoint()));
  WARN(told.Summary());
  CHECK(told.FirstAnomaly() == "none");
  CHECK(young.process().Stop() == 0);
}

TEST_CASE(
    "an owner that sleeps until it is taken for dead writes nothing when it wakes, and ends") {
  const RedisServer redis;
  for (uint64_t i = 0; i < Count(1, 5); ++i) WakesDeposed(UnixUrl(redis), "k" + std::to_string(i));
}

TEST_CASE("the same holds in a cluster") {
  const ClusterGroup cluster({.primaries = 3, .replicas = 0});
  for (uint64_t i = 0; i < Count(1, 5); ++i) WakesDeposed(cluster.url(), "k" + std::to_string(i));
}

// The link of the owner goes down with writes in it, another daemon takes the store over and
// writes; then they arrive.
TEST_CASE("what an owner sent before it was deposed never lands after a write of its successor") {
  const RedisServer redis;
  for (const std::string command : {"\r\nSET\r\n", "EVALSHA"}) {
    StallingProxy proxy(redis.port());
    RedisDaemon old(TcpUrl(proxy.port()));
    const std::string prefix = command.substr(2, 1);
    Clients clients(
        {.endpoints = {old.endpoint()}, .prefix = prefix, .timeout = seconds(20), .seed = Seed()});
    clients.AwaitAcknowledged(100);
    proxy.StallAt(command);
    AwaitThat("a write is under way", [&] { return proxy.Keeps(command); });
    RedisDaemon young(UnixUrl(redis), Start::kServes, {"--take-over"});
    Clients others({.endpoints = {young.endpoint()}, .prefix = prefix, .seed = Seed() + 100});
    others.AwaitAcknowledged(100);
    proxy.Release();
    AwaitThat("what was kept is delivered", [&] { return proxy.stalled() == 0; });
    CHECK(old.process().Wait() == kDeposed);
    others.AwaitAcknowledged(100);
    Told told = clients.Finish(young.endpoint());
    told.Add(others.Finish(young.endpoint()));
    WARN(told.Summary());
    CHECK(told.FirstAnomaly() == "none");
    CHECK(young.process().Stop() == 0);
  }
}

}  // namespace
}  // namespace tarn::testing
