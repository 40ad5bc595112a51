// Many threads, the table's own among them.
#include <atomic>
#include <random>
#include <thread>

#include "absl/synchronization/notification.h"
#include "storage/locks/lock_table.h"
#include "storage/memory/memory_engine.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::storage {
namespace {

struct World {
  World() {
    engine = testing::Value(MemoryEngine::Open({}, clock, ledger));
    REQUIRE(engine->WriteMeta({.store_id = std::string(32, 'a'), .incarnation = 1}).ok());
    table = testing::Value(LockTable::Load({*engine, clock, base::TheSystemBootClock(), limits}));
  }

  absl::StatusOr<LockGrant> Acquire(int64_t ttl_ms, int64_t wait_ms) {
    absl::StatusOr<LockGrant> result;
    absl::Notification done;
    table->Acquire({.name = "l", .holder = "h", .ttl_ms = ttl_ms, .wait_ms = wait_ms},
                   [&](absl::StatusOr<LockGrant> grant) {
                     result = std::move(grant);
                     done.Notify();
                   });
    done.WaitForNotification();
    return result;
  }
  absl::Status Release(Revision token) {
    absl::Status result;
    absl::Notification done;
    table->Release("", "l", token, [&](const absl::Status& status) {
      result = status;
      done.Notify();
    });
    done.WaitForNotification();
    return result;
  }

  base::SystemClock clock;
  UsageLedger ledger;
  Limits limits;
  std::unique_ptr<MemoryEngine> engine;
  std::unique_ptr<LockTable> table;
};

void InThreads(int count, const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("of many threads one has the lock, and tokens rise") {
  World w;
  std::atomic<int> inside{0};
  std::atomic<int> wrong{0};
  Revision last = 0;  // Of whoever has the lock.
  InThreads(8, [&](int) {
    for (int i = 0; i < 200; ++i) {
      const auto grant = w.Acquire(60'000, 60'000);
      if (!grant.ok() || ++inside != 1 || grant->token <= last) ++wrong;
      last = grant->token;
      --inside;
      if (!w.Release(grant->token).ok()) ++wrong;
    }
  });
  CHECK(wrong == 0);
  CHECK(w.table->Stats().acquired == 1600);
  CHECK(w.table->Stats().held == 0);
}

TEST_CASE("a lock that nobody gives back goes round by itself") {
  World w;
  std::atomic<int> granted{0};
  InThreads(4, [&](int) {
    for (int i = 0; i < 5; ++i) {
      // On a busy machine it may be over before it is answered: then it has gone round as well.
      const absl::Status status = w.Acquire(5, 60'000).status();
      if (status.ok() || base::ReasonOf(status) == base::Reason::kLockNotHeld) ++granted;
    }
  });
  CHECK(granted == 20);
}

TEST_CASE("passes and grants of many threads never overlap") {
  World w;
  std::atomic<Revision> newest{0};
  std::atomic<int> wrong{0};
  std::atomic<bool> over{false};
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&] {
      while (!over) {
        const Revision token = newest;
        const auto pass = w.table->Enter("", {.lock = FencingToken{"l", token}});
        // As long as the pass is held, nobody else is granted the lock.
        if (pass.ok() && token != newest) ++wrong;
      }
    });
  }
  for (int i = 0; i < 500; ++i) {
    const auto grant = w.Acquire(60'000, 60'000);
    newest = grant->token;
    CHECK(w.Release(grant->token).ok());
  }
  over = true;
  for (std::thread& writer : writers) writer.join();
  CHECK(wrong == 0);
}

TEST_CASE("a table that is destroyed while requests wait answers all of them") {
  World w;
  const auto grant = w.Acquire(60'000, 0);
  REQUIRE(grant.ok());
  std::atomic<int> ended{0};
  for (int i = 0; i < 1000; ++i) {
    w.table->Acquire({.name = "l", .holder = "h", .ttl_ms = 1000, .wait_ms = 60'000},
                     [&](const absl::StatusOr<LockGrant>&) { ++ended; });
  }
  w.table.reset();
  CHECK(ended == 1000);
}

}  // namespace
}  // namespace tarn::storage
