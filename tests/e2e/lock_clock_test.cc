// The wall clock of the machine is stepped by an hour while locks are held and waited for.
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "tarn/v1/lock.grpc.pb.h"
#include "tests/catch.h"
#include "tests/e2e/raw_client.h"
#include "tests/storage/redis/support/redis_server.h"
#include "tests/support/daemon.h"
#include "tests/support/http_get.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wall_clock.h"

namespace tarn::testing {
namespace {

using std::chrono::hours;
using v1::LockService;

constexpr int64_t kLongMs = 600'000;
constexpr int64_t kShortMs = 200;

struct World {
  explicit World(std::vector<std::string> arguments)
      : daemon({.directory = dir.path(),
                .arguments = std::move(arguments),
                .environment = clock.environment()}) {
    Connect();
  }
  void Connect() {
    raw = std::make_unique<RawClient>(daemon.grpc());
    stub = LockService::NewStub(raw->channel());
  }
  void Restart() {
    daemon.Kill();
    daemon.Start();
    Connect();
  }

  // The token; 0 when it was not free within the wait.
  uint64_t Acquire(const std::string& name, int64_t ttl_ms, int64_t wait_ms) {
    v1::AcquireLockRequest request;
    request.set_name(name);
    request.set_holder("h");
    request.set_ttl_ms(ttl_ms);
    request.set_wait_ms(wait_ms);
    v1::AcquireLockResponse response;
    const bool granted =
        raw->Call(*stub, &LockService::Stub::AcquireLock, request, &response) == "OK";
    return granted ? response.token() : 0;
  }
  v1::Lock Look(const std::string& name) {
    v1::GetLockRequest request;
    request.set_name(name);
    v1::GetLockResponse response;
    REQUIRE(raw->Call(*stub, &LockService::Stub::GetLock, request, &response) == "OK");
    return response.lock();
  }
  std::string PutUnder(uint64_t token) {
    return raw->Put("k", "v", [token](v1::PutRequest& request) {
      request.mutable_fence()->set_lock("long");
      request.mutable_fence()->set_token(token);
    });
  }

  TempDir dir;
  SteppedWallClock clock{dir.path()};
  DaemonProcess daemon;
  std::unique_ptr<RawClient> raw;
  std::unique_ptr<LockService::Stub> stub;
};

void CheckHeld(World& w, uint64_t token) {
  const v1::Lock lock = w.Look("long");
  CHECK(lock.held());
  CHECK(lock.token() == token);
  CHECK(lock.remaining_ms() <= kLongMs);
  CHECK(lock.remaining_ms() > kLongMs / 2);
  CHECK(w.PutUnder(token) == "OK");
  CHECK(w.Acquire("long", kLongMs, 0) == 0);
}

// One lease runs out and the next waits for it, while the clock is stepped between the two.
void CheckEnds(World& w, hours step) {
  const uint64_t first = w.Acquire("short", kShortMs, 10'000);
  REQUIRE(first != 0);
  auto next = std::async(std::launch::async, [&] { return w.Acquire("short", kShortMs, 10'000); });
  while (w.Look("short").queue_length() == 0 && w.Look("short").token() == first) {
  }
  w.clock.Step(step);
  CHECK(next.get() > first);
  const uint64_t third = w.Acquire("short", kShortMs, 10'000);
  CHECK(third > first);
}

enum class AfterKill { kKeepsLocks, kForgetsLocks };

void StepAndLook(std::vector<std::string> arguments, AfterKill after_kill) {
  const bool survives = after_kill == AfterKill::kKeepsLocks;
  World w(std::move(arguments));
  const uint64_t token = w.Acquire("long", kLongMs, 0);
  REQUIRE(token != 0);
  CheckEnds(w, hours(1));
  CheckHeld(w, token);
  const std::string metrics = HttpGet(w.daemon.http(), "/metrics").body;
  CHECK(metrics.find("tarn_wall_clock_drift_seconds 36") != std::string::npos);
  if (survives) {
    w.Restart();  // An hour ahead; it stays as late as it is when the clock goes back.
    CheckHeld(w, token);
  }
  CheckEnds(w, hours(-1));
  CheckHeld(w, token);
  CheckEnds(w, hours(-1));
  CheckHeld(w, token);
  if (!survives) return;
  w.Restart();  // An hour behind.
  CheckHeld(w, token);
  w.clock.Step(hours(1));
  w.Restart();
  CheckHeld(w, token);
}

TEST_CASE("a step of the wall clock ends no lease early, and none late") {
  StepAndLook({"--engine", "rocksdb"}, AfterKill::kKeepsLocks);
}

TEST_CASE("a step of the wall clock ends no lease early, and none late, on the memory engine") {
  StepAndLook({"--engine", "memory"}, AfterKill::kForgetsLocks);
}

TEST_CASE("a step of the wall clock ends no lease early, and none late, over Redis") {
  const RedisServer redis;
  StepAndLook({"--engine", "redis", "--redis-url",
               "redis://127.0.0.1:" + std::to_string(redis.port()), "--take-over"},
              AfterKill::kKeepsLocks);
}

}  // namespace
}  // namespace tarn::testing
