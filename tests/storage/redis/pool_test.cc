#include "storage/redis/pool.h"

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "storage/redis/command.h"
#include "storage/redis/event_loop.h"
#include "tests/catch.h"
#include "tests/storage/redis/support/fake_redis.h"
#include "tests/storage/redis/support/redis_server.h"
#include "tests/storage/redis/support/subject.h"

namespace tarn::storage::redis {
namespace {

using testing::Await;
using testing::FakeRedis;
using testing::RedisServer;
using testing::Subject;
using testing::To;

PoolOptions Options(const ConnectionOptions& connection, int min, int max) {
  PoolOptions options;
  options.connection = connection;
  options.connection.client_name = "pool";
  options.min_connections = min;
  options.max_connections = max;
  options.check_interval_ms = 5;
  options.reconnect_base_ms = 1;
  options.reconnect_cap_ms = 10;
  return options;
}

// A pool, closed at the end.
class PoolSubject {
 public:
  explicit PoolSubject(const PoolOptions& options)
      : pool_(Pool::Create(loop_.context(), clock_, base::SystemRandom(), options)) {}
  ~PoolSubject() { pool_->Close(absl::CancelledError("the test is over")); }

  Pool& operator*() const { return *pool_; }
  Pool* operator->() const { return pool_.get(); }

  // Looks again and again until it holds.
  void AwaitStats(const std::function<bool(const PoolStats&)>& wanted) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!wanted(pool_->Stats())) {
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("it never came so far");
      std::this_thread::yield();
    }
  }
  void AwaitOpen(int connections) const {
    AwaitStats([&](const PoolStats& stats) { return stats.open == connections; });
  }

  std::unique_ptr<KeyLease> Lease(uint64_t key) const {
    Leased leased = pool_->Lease({key});
    if (leased.result != Leased::Result::kOk) throw std::runtime_error("there is no lease");
    return std::move(leased.lease);
  }

 private:
  const base::SystemClock clock_;
  EventLoop loop_;
  const std::shared_ptr<Pool> pool_;
};

std::future<std::string> Send(KeyLease& lease, const std::vector<std::string>& words) {
  const std::vector<absl::string_view> views(words.begin(), words.end());
  auto promise = std::make_shared<std::promise<std::string>>();
  lease.Send(CommandKind::kWrite, FormatCommand(views),
             [promise](Answer& answer) { promise->set_value(testing::Brief(answer)); });
  return promise->get_future();
}

std::string Ask(KeyLease& lease, const std::vector<std::string>& words) {
  std::future<std::string> answer = Send(lease, words);
  return Await(answer);
}

std::string ClientId(const PoolSubject& pool, uint64_t key) {
  return Ask(*pool.Lease(key), {"CLIENT", "ID"});
}

TEST_CASE("a pool keeps its least number of connections open") {
  const RedisServer server;
  const PoolSubject pool(Options(To(server), 3, 5));
  pool.AwaitOpen(3);
  std::set<std::string> ids;
  for (uint64_t key = 0; key < 30; ++key) ids.insert(ClientId(pool, key));
  CHECK(ids.size() == 3);
  for (uint64_t key = 0; key < 30; ++key) CHECK(ClientId(pool, key) == ClientId(pool, key));
}

TEST_CASE("a pool opens a connection again when it is lost") {
  const RedisServer server;
  const PoolSubject pool(Options(To(server), 2, 2));
  pool.AwaitOpen(2);
  Subject admin(To(server));
  CHECK(admin.Ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}) == "(integer) 2");
  pool.AwaitStats([](const PoolStats& stats) { return stats.failed >= 2 && stats.open == 2; });
  CHECK(Ask(*pool.Lease(1), {"SET", "k", "v"}) == "OK");
}

TEST_CASE("a pool whose node is away has no connection and goes on trying") {
  ConnectionOptions connection;
  const testing::OwnPort nobody;
  connection.transport.endpoint = {"127.0.0.1", nobody.number()};
  const PoolSubject pool(Options(connection, 1, 1));
  pool.AwaitStats([](const PoolStats& stats) { return stats.failed >= 5; });
  CHECK(pool->Lease({1}).result == Leased::Result::kNoConnection);
  CHECK(pool->Stats().opened == 0);
}

TEST_CASE("keys in flight stay on their connection, and a batch over two waits") {
  const RedisServer server;
  const PoolSubject pool(Options(To(server), 2, 2));
  pool.AwaitOpen(2);
  auto zero = pool.Lease(0);
  auto one = pool.Lease(1);
  CHECK(Ask(*zero, {"CLIENT", "ID"}) != Ask(*one, {"CLIENT", "ID"}));
  CHECK(pool->Lease({0, 1}).result == Leased::Result::kElsewhere);
  CHECK(pool->Stats().keys == 2);
  one.reset();
  Leased both = pool->Lease({1, 0});
  REQUIRE(both.result == Leased::Result::kOk);
  CHECK(Ask(*both.lease, {"CLIENT", "ID"}) == Ask(*zero, {"CLIENT", "ID"}));
}

TEST_CASE("a key whose connection failed gets no other one until its lease is given back") {
  const RedisServer server;
  const PoolSubject pool(Options(To(server), 1, 1));
  pool.AwaitOpen(1);
  auto lease = pool.Lease(1);
  Subject admin(To(server));
  CHECK(admin.Ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}) == "(integer) 1");
  pool.AwaitStats([](const PoolStats& stats) { return stats.opened == 2 && stats.open == 1; });
  CHECK(Ask(*lease, {"SET", "k", "v"}) == "no connection: not done");
  CHECK(pool->Lease({1}).result == Leased::Result::kNoConnection);
  CHECK(pool->Lease({2}).result == Leased::Result::kOk);
  lease.reset();
  CHECK(Ask(*pool.Lease(1), {"SET", "k", "v"}) == "OK");
}

TEST_CASE("a pool opens more connections under load, up to its most, and closes them after it") {
  const RedisServer server;
  PoolOptions options = Options(To(server), 1, 3);
  options.grow_at_pending = 2;
  options.connection.read_timeout_ms = 60'000;
  options.shrink_after_checks = 2;
  const PoolSubject pool(options);
  pool.AwaitOpen(1);
  // Each waits for an element that nobody pushes yet, and so do all behind it.
  std::vector<std::unique_ptr<KeyLease>> leases;
  std::vector<std::future<std::string>> answers;
  for (int open = 1; open <= 3; ++open) {
    pool.AwaitOpen(open);
    for (uint64_t key = 0; key < 12; ++key) {
      leases.push_back(pool.Lease(100 * open + key));
      answers.push_back(Send(*leases.back(), {"BLPOP", "list", "60"}));
    }
  }
  Subject admin(To(server));
  CHECK_THAT(admin.Ask({"CLIENT", "LIST"}), Catch::Matchers::Contains("cmd=blpop"));
  CHECK(pool->Stats().open == 3);
  for (size_t i = 0; i < answers.size(); ++i) admin.Send({"RPUSH", "list", "x"});
  for (std::future<std::string>& answer : answers) CHECK(Await(answer) == "[\"list\" \"x\"]");
  leases.clear();
  pool.AwaitOpen(1);
  CHECK(Ask(*pool.Lease(1), {"SET", "k", "v"}) == "OK");
}

TEST_CASE("a connection that gives no sign of life is replaced") {
  FakeRedis::Script script;
  script.answer = [](const FakeRedis::Command& command) {
    return std::string(command[0] == "PING" ? "" : "+OK\r\n");
  };
  const FakeRedis fake(script);
  PoolOptions options = Options(To(fake), 1, 1);
  options.connection.read_timeout_ms = 20;
  const PoolSubject pool(options);
  pool.AwaitStats([](const PoolStats& stats) { return stats.opened >= 3; });
  CHECK(fake.connections() >= 3);
}

TEST_CASE("a connection that answers a sign of life wrongly is replaced") {
  FakeRedis::Script script;
  script.answer = [](const FakeRedis::Command&) { return std::string("+OK\r\n"); };
  const FakeRedis fake(script);
  const PoolSubject pool(Options(To(fake), 1, 1));
  pool.AwaitStats([](const PoolStats& stats) { return stats.opened >= 3; });
}

TEST_CASE("a pool that is closed answers everything and opens nothing") {
  const RedisServer server;
  const PoolSubject pool(Options(To(server), 2, 2));
  pool.AwaitOpen(2);
  auto lease = pool.Lease(1);
  std::future<std::string> waiting = Send(*lease, {"BLPOP", "list", "2"});
  pool->Close(absl::CancelledError("closed"));
  pool.AwaitStats([](const PoolStats& stats) { return stats.failed == 2; });
  CHECK_THAT(Await(waiting), Catch::Matchers::Equals("connection lost: unknown") ||
                                 Catch::Matchers::Equals("no connection: not done"));
  CHECK(pool->Lease({2}).result == Leased::Result::kNoConnection);
}

}  // namespace
}  // namespace tarn::storage::redis
