// Answers get lost, connections break, tarnd is killed: what libtarn writes is done once.
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tarn/client.h"
#include "tarn/pipeline.h"
#include "tests/catch.h"
#include "tests/storage/redis/support/redis_server.h"
#include "tests/support/daemon.h"
#include "tests/support/flaky_proxy.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr int kThreads = 4;

ClientOptions Patient(const std::string& endpoint) {
  ClientOptions options;
  options.endpoint = endpoint;
  options.call_timeout = minutes(5);
  options.retry_policy = std::make_shared<LimitedTimeRetryPolicy>(minutes(5));
  options.backoff_policy =
      std::make_shared<ExponentialBackoffPolicy>(milliseconds(2), milliseconds(50));
  return options;
}

// Collects what writes were answered.
class Numbers {
 public:
  void Add(int64_t number) {
    const std::lock_guard lock(mutex_);
    numbers_.push_back(number);
  }
  // Whether they are 1 to `count`, each once.
  bool AreAll(uint64_t count) {
    const std::lock_guard lock(mutex_);
    std::sort(numbers_.begin(), numbers_.end());
    for (size_t i = 0; i < numbers_.size(); ++i) {
      if (numbers_[i] != static_cast<int64_t>(i) + 1) return false;
    }
    return numbers_.size() == count;
  }
  size_t size() {
    const std::lock_guard lock(mutex_);
    return numbers_.size();
  }

 private:
  std::mutex mutex_;
  std::vector<int64_t> numbers_;
};

// A tarnd that is killed now and then, behind a proxy that loses answers.
struct World {
  TempDir dir;
  DaemonProcess daemon;
  FlakyProxy proxy;
  Client client;

  explicit World(uint64_t swallow_every, std::vector<std::string> engine = {"--engine", "rocksdb"})
      : daemon({.directory = dir.path(), .arguments = std::move(engine)}),
        proxy(daemon.grpc(), swallow_every),
        client(*Client::Connect(Patient(proxy.endpoint()))) {}

  // On the test's own thread, because a daemon dies with the thread that started it. Kills tarnd
  // and starts it again whenever another `every` of `progress` has been made, until `total` has.
  int KillUntil(uint64_t total, uint64_t every, const std::function<uint64_t()>& progress) {
    int kills = 0;
    for (uint64_t next = every; next < total; next += every) {
      while (progress() < next) std::this_thread::yield();
      daemon.Kill();
      daemon.Start();
      ++kills;
    }
    return kills;
  }

  // What the daemon itself says, without the proxy.
  Client Direct() { return *Client::Connect({.endpoint = daemon.grpc()}); }
};

void IncrementUntil(World& world, uint64_t total) {
  Numbers numbers;
  std::atomic<uint64_t> begun{0};
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      while (begun++ < total) {
        const auto result = world.client.Increment("n", 1);
        result.ok() ? numbers.Add(result->number) : void(++failures);
      }
    });
  }
  const int kills = world.KillUntil(total, total / 8, [&] { return numbers.size() + failures; });
  for (std::thread& thread : threads) thread.join();
  std::cout << world.proxy.swallowed() << " answers lost, " << kills << " times killed"
            << std::endl;
  CHECK(failures == 0);
  CHECK(world.proxy.swallowed() > total / 100);
  CHECK(world.Direct().Get("n")->value == std::to_string(total));
  CHECK(numbers.AreAll(total));
}

TEST_CASE("each increment is done once, and says so, whatever gets lost") {
  World world(37);
  IncrementUntil(world, Count(2'000, 20'000));
}

TEST_CASE("each increment is done once over Redis too") {
  // A write is there before it is acknowledged.
  const RedisServer redis({"--appendonly", "yes", "--appendfsync", "always"});
  World world(37, {"--engine", "redis", "--redis-url", "unix://" + redis.unix_path()});
  IncrementUntil(world, Count(2'000, 20'000));
}

TEST_CASE("each increment of a pipeline is done once, and says so, whatever gets lost") {
  const uint64_t total = Count(4'000, 20'000);
  World world(11);
  Numbers numbers;
  std::atomic<uint64_t> answered{0};
  std::atomic<int> failures{0};
  std::thread adder([&] {
    Pipeline pipeline =
        world.client.OpenPipeline({.max_message_operations = 8, .max_pending_operations = 64});
    const auto take = [&](absl::StatusOr<OperationResult> result) {
      const bool done = result.ok() && result->status.ok();
      done ? numbers.Add(result->number) : void(++failures);
      ++answered;
    };
    for (uint64_t i = 0; i < total; ++i) {
      if (!pipeline.Add(Operation::Increment("n", 1), take).ok()) ++failures;
    }
    if (!pipeline.Close(minutes(5)).ok()) ++failures;
  });
  world.KillUntil(total, total / 4, [&] { return answered.load(); });
  adder.join();
  std::cout << world.proxy.swallowed() << " answers lost" << std::endl;
  CHECK(failures == 0);
  CHECK(world.proxy.swallowed() > 5);
  CHECK(world.Direct().Get("n")->value == std::to_string(total));
  CHECK(numbers.AreAll(total));
}

TEST_CASE("what is taken, appended and put where nothing was is answered as it was done") {
  World world(13);
  Client direct = world.Direct();
  const int rounds = static_cast<int>(Count(100, 1'000));
  for (int i = 0; i < rounds; ++i) {
    const std::string key = "key" + std::to_string(i);
    REQUIRE(world.client.Put(key, "v", {.precondition = Precondition::Absent()}).ok());
    const auto appended = world.client.Append(key, "w");
    REQUIRE(appended.ok());
    CHECK(appended->size_bytes == 2);
    const auto taken = world.client.Take(key);
    REQUIRE(taken.ok());
    CHECK(taken->value == "vw");
    const auto batch =
        world.client.RunBatch(Batch::Atomic().Get("last").Put("last", key).Increment("rounds", 1));
    REQUIRE(batch.ok());
    CHECK(batch->results[0].value == (i == 0 ? "" : "key" + std::to_string(i - 1)));
    CHECK(batch->results[2].number == i + 1);
  }
  CHECK(world.proxy.swallowed() > 5);
}

TEST_CASE("without request ids a lost answer to an increment is an unknown outcome") {
  World world(9);
  ClientOptions options = Patient(world.proxy.endpoint());
  options.request_ids = RequestIdUse::kNever;
  const Client client = *Client::Connect(options);
  absl::Status failure;
  while (failure.ok()) failure = client.Increment("n", 1).status();
  CHECK(IsOutcomeUnknown(failure));
}

TEST_CASE("a client that the server has forgotten registers anew") {
  TempDir dir;
  DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", "memory"}});
  const Client client = *Client::Connect(Patient(daemon.grpc()));
  REQUIRE(client.Increment("n", 1).ok());
  Pipeline pipeline = client.OpenPipeline();
  daemon.Kill();
  daemon.Start();
  SECTION("by a call") { CHECK(client.Increment("n", 1)->number >= 1); }
  SECTION("by a call that is not waited for") {
    std::promise<absl::StatusOr<IncrementResult>> promise;
    client.AsyncIncrement("n", 1, {}, [&](auto result) { promise.set_value(std::move(result)); });
    CHECK(promise.get_future().get().ok());
  }
  SECTION("by a pipeline") {
    const auto increment = [&pipeline] {
      std::promise<absl::StatusOr<OperationResult>> promise;
      REQUIRE(pipeline
                  .Add(Operation::Increment("n", 1),
                       [&](auto result) { promise.set_value(std::move(result)); })
                  .ok());
      return promise.get_future().get();
    };
    auto result = increment();
    // What went out on the stream that was dying may have been done: that is told.
    if (ReasonOf(result.status()) == Reason::kUnknownClient) result = increment();
    INFO(result.status());
    REQUIRE(result.ok());
    CHECK(result->status.ok());
  }
}

}  // namespace
}  // namespace tarn::testing
