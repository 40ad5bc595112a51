#include "storage/redis/replica_wait.h"

#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "storage/redis/command.h"
#include "storage/redis/event_loop.h"
#include "storage/redis/pool.h"
#include "tests/catch.h"
#include "tests/storage/redis/support/await.h"
#include "tests/storage/redis/support/fake_redis.h"
#include "tests/storage/redis/support/subject.h"

namespace tarn::storage::redis {
namespace {

using testing::Await;
using testing::FakeRedis;

// A pool to a server that has replicas: what it says to WAIT, and how often it was asked.
class Replicated {
 public:
  explicit Replicated(std::string to_wait, std::string to_writes = "+OK\r\n")
      : to_wait_(std::move(to_wait)),
        to_writes_(std::move(to_writes)),
        fake_(Script()),
        pool_(Pool::Create(loop_.context(), clock_, base::SystemRandom(), Options())) {
    testing::AwaitThat("it is connected", [&] { return pool_->Stats().open == 1; });
  }
  ~Replicated() { pool_->Close(absl::CancelledError("the test is over")); }

  std::future<std::string> Send(CommandKind kind) {
    const std::shared_ptr<KeyLease> lease = pool_->Lease({}).lease;
    auto promise = std::make_shared<std::promise<std::string>>();
    lease->Send(kind, FormatCommand({kind == CommandKind::kWrite ? "SET" : "ECHO"}),
                [promise, lease](Answer& a) { promise->set_value(testing::Brief(a)); });
    return promise->get_future();
  }
  std::string Ask(CommandKind kind) {
    std::future<std::string> answer = Send(kind);
    return Await(answer);
  }

  int waits() const { return waits_; }
  TrafficTotals traffic() const { return pool_->Stats().traffic; }

 private:
  FakeRedis::Script Script() {
    FakeRedis::Script script;
    script.answer = [this](const FakeRedis::Command& command) {
      if (command[0] == "PING") return std::string("+PONG\r\n");
      if (command[0] != "WAIT") return to_writes_;
      ++waits_;
      return command[1] == "2" ? to_wait_ : "-ERR not what was asked for\r\n";
    };
    return script;
  }
  PoolOptions Options() const {
    PoolOptions options;
    options.connection = testing::To(fake_);
    options.max_connections = 1;
    options.wait_replicas = 2;
    return options;
  }

  const std::string to_wait_;
  const std::string to_writes_;
  std::atomic<int> waits_ = 0;
  const base::SystemClock clock_;
  const FakeRedis fake_;
  EventLoop loop_;
  const std::shared_ptr<Pool> pool_;
};

TEST_CASE("a write is done when enough replicas have it, and its number is looked at") {
  CHECK(Replicated(":2\r\n").Ask(CommandKind::kWrite) == "OK");
  CHECK(Replicated(":3\r\n").Ask(CommandKind::kWrite) == "OK");
  CHECK(Replicated(":1\r\n").Ask(CommandKind::kWrite) == "not replicated: done");
  CHECK(Replicated(":0\r\n").Ask(CommandKind::kWrite) == "not replicated: done");
}

TEST_CASE("what replicas acknowledged last is told, and how often too few did") {
  Replicated enough(":3\r\n");
  enough.Ask(CommandKind::kWrite);
  CHECK(enough.traffic().acknowledged_replicas == 3);
  CHECK(enough.traffic().short_waits == 0);
  Replicated few(":1\r\n");
  few.Ask(CommandKind::kRead);
  CHECK(few.traffic().acknowledged_replicas == -1);
  few.Ask(CommandKind::kWrite);
  CHECK(few.traffic().acknowledged_replicas == 1);
  CHECK(few.traffic().short_waits == 1);
}

TEST_CASE("a write whose replicas nobody counted is not replicated as far as is known") {
  CHECK(Replicated("+OK\r\n").Ask(CommandKind::kWrite) == "not replicated: done");
  CHECK(Replicated("-NOPERM no\r\n").Ask(CommandKind::kWrite) == "not replicated: done");
  CHECK(Replicated("?").Ask(CommandKind::kWrite) == "not replicated: done");
}

TEST_CASE("neither reads nor what was refused waits for replicas") {
  Replicated server(":2\r\n");
  CHECK(server.Ask(CommandKind::kRead) == "OK");
  CHECK(server.waits() == 0);
  Replicated full(":2\r\n", "-OOM command not allowed\r\n");
  CHECK(full.Ask(CommandKind::kWrite) == "OOM: not done");
  CHECK(full.waits() == 0);
}

TEST_CASE("many writes share a wait") {
  Replicated server(":2\r\n");
  std::vector<std::future<std::string>> answers;
  for (int i = 0; i < 1000; ++i) answers.push_back(server.Send(CommandKind::kWrite));
  for (std::future<std::string>& answer : answers) CHECK(Await(answer) == "OK");
  CHECK(server.waits() > 0);
  CHECK(server.waits() < 500);
}

}  // namespace
}  // namespace tarn::storage::redis
