#include "storage/base/executor.h"

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <thread>

#include "absl/synchronization/barrier.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::base {
namespace {

using testing::Brief;

TEST_CASE("a task runs once, on another thread") {
  std::atomic<int> runs{0};
  std::thread::id thread;
  {
    ThreadPool pool({.threads = 2});
    REQUIRE(pool.Submit([&] {
                  thread = std::this_thread::get_id();
                  ++runs;
                })
                .ok());
  }
  CHECK(runs == 1);
  CHECK(thread != std::this_thread::get_id());
}

TEST_CASE("as many tasks run at the same time as there are threads") {
  auto* barrier = new absl::Barrier(3);
  ThreadPool pool({.threads = 2});
  const auto meet = [barrier] {
    if (barrier->Block()) delete barrier;
  };
  REQUIRE(pool.Submit(meet).ok());
  REQUIRE(pool.Submit(meet).ok());
  meet();
}

TEST_CASE("a full queue refuses, and takes again when there is room") {
  absl::Notification started;
  absl::Notification go_on;
  absl::Notification emptied;
  ThreadPool pool({.name = "reads", .threads = 1, .max_queued = 2});
  REQUIRE(pool.Submit([&] {
                started.Notify();
                go_on.WaitForNotification();
              })
              .ok());
  started.WaitForNotification();
  REQUIRE(pool.Submit([] {}).ok());
  REQUIRE(pool.Submit([&] { emptied.Notify(); }).ok());
  CHECK(pool.queued() == 2);

  bool ran = false;
  const absl::Status status = pool.Submit([&ran] { ran = true; });
  CHECK(Brief(status) == "RESOURCE_EXHAUSTED QUEUE_FULL");
  CHECK(status.message() == "reads has 2 tasks waiting already");
  go_on.Notify();
  emptied.WaitForNotification();
  CHECK(pool.Submit([] {}).ok());
  CHECK_FALSE(ran);
}

TEST_CASE("a pool that is destroyed runs what is queued first") {
  std::atomic<int> runs{0};
  {
    absl::Notification go_on;
    ThreadPool pool({.threads = 1});
    REQUIRE(pool.Submit([&] { go_on.WaitForNotification(); }).ok());
    for (int i = 0; i < 100; ++i) REQUIRE(pool.Submit([&] { ++runs; }).ok());
    go_on.Notify();
  }
  CHECK(runs == 100);
}

TEST_CASE("a pool that is being destroyed takes nothing more") {
  absl::Status refused;
  absl::Notification destroying;
  {
    std::optional<ThreadPool> pool;
    pool.emplace(ThreadPool::Options{.threads = 2});
    Executor* const executor = &*pool;
    REQUIRE(executor
                ->Submit([&, executor] {
                  // Until the destructor has said that it began, submitting succeeds.
                  do {
                    refused = executor->Submit([] {});
                  } while (refused.ok() || absl::IsResourceExhausted(refused));
                })
                .ok());
    pool.reset();
  }
  CHECK(Brief(refused) == "UNAVAILABLE DRAINING");
}

}  // namespace
}  // namespace tarn::base
