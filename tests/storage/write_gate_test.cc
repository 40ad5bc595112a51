#include "storage/write_gate.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "tests/catch.h"

namespace tarn::storage {
namespace {

TEST_CASE("an open gate lets in, a closed one does not, until it is opened again") {
  WriteGate gate;
  CHECK(gate.Enter());
  CHECK_FALSE(gate.closed());
  gate.Close();
  CHECK(gate.closed());
  CHECK_FALSE(gate.Enter());
  gate.Open();
  CHECK(gate.Enter());
}

TEST_CASE("an empty gate says so at once when it is closed") {
  WriteGate gate;
  { const auto pass = gate.Enter(); }
  bool empty = false;
  gate.Close([&empty] { empty = true; });
  CHECK(empty);
}

TEST_CASE("a gate says that it is empty once the last one has left, and only once") {
  WriteGate gate;
  auto first = gate.Enter();
  auto second = gate.Enter();
  int said = 0;
  gate.Close([&said] { ++said; });
  CHECK(said == 0);
  first.reset();
  CHECK(said == 0);
  CHECK_FALSE(gate.Enter());
  CHECK(said == 0);
  second.reset();
  CHECK(said == 1);
  { const auto late = gate.EnterClosed(); }
  CHECK(said == 1);
}

TEST_CASE("whoever closed a gate can let in, and is waited for") {
  WriteGate gate;
  gate.Close();
  std::optional<WriteGate::Pass> pass(gate.EnterClosed());
  bool empty = false;
  gate.Close([&empty] { empty = true; });
  CHECK_FALSE(empty);
  pass.reset();
  CHECK(empty);
}

// The rule that deleting a namespace rests on: nobody is inside after `when_empty`.
TEST_CASE("nobody is inside a gate that said it is empty, whatever the threads do") {
  constexpr int kThreads = 4;
  const auto rounds = static_cast<int>(testing::Count(300, 20'000));
  auto gate = std::make_unique<WriteGate>();
  std::atomic<int> inside{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      while (!stop.load()) {
        const auto pass = gate->Enter();
        if (!pass) {
          std::this_thread::yield();
          continue;
        }
        inside.fetch_add(1);
        inside.fetch_sub(1);
      }
    });
  }
  int overlaps = 0;
  for (int round = 0; round < rounds; ++round) {
    absl::Notification empty;
    gate->Close([&] { empty.Notify(); });
    empty.WaitForNotification();
    if (inside.load() != 0) ++overlaps;
    gate->Open();
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(overlaps == 0);
}

TEST_CASE("a gate may be destroyed as soon as it said that it is empty") {
  for (int round = 0; round < 500; ++round) {
    auto gate = std::make_unique<WriteGate>();
    auto pass = gate->Enter();
    std::thread leaver([inside = std::move(pass)]() mutable { inside.reset(); });
    absl::Notification empty;
    gate->Close([&] { empty.Notify(); });
    empty.WaitForNotification();
    gate.reset();
    leaver.join();
  }
}

}  // namespace
}  // namespace tarn::storage
