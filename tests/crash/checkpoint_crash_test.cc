// kill -9 of the real daemon while it makes checkpoints under load: it always starts again, from
// the old or from the new one, and what it shows is one state.
#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <thread>

#include "tests/catch.h"
#include "tests/e2e/checkpoint_client.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

constexpr int kKeys = 64;

std::string KeyOf(int i) { return "key" + std::to_string(i); }

// The same number under all keys, in one commit.
v1::BatchRequest WriteAll(uint64_t number) {
  v1::BatchRequest batch;
  batch.set_mode(v1::BATCH_MODE_ATOMIC);
  for (int i = 0; i < kKeys; ++i) *batch.add_operations() = PutOp(KeyOf(i), std::to_string(number));
  return batch;
}

// Writes on and on from a number, until the daemon is gone.
class Writer {
 public:
  Writer(const std::string& address, uint64_t from)
      : thread_([this, address, from] { Run(address, from); }) {}
  ~Writer() { thread_.join(); }

  uint64_t acknowledged() const { return acknowledged_; }
  bool ended() const { return ended_; }

 private:
  void Run(const std::string& address, uint64_t from) {
    RawClient client(address);
    for (uint64_t number = from;; ++number) {
      v1::BatchResponse response;
      const auto context = client.NewContext();
      if (!client.state().Batch(context.get(), WriteAll(number), &response).ok()) break;
      acknowledged_ = number;
    }
    ended_ = true;
  }

  std::atomic<uint64_t> acknowledged_{0};
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

// Has one checkpoint made after the other, until the daemon is gone.
class Requester {
 public:
  explicit Requester(const std::string& address) : thread_([this, address] { Run(address); }) {}
  ~Requester() { thread_.join(); }

  uint64_t created() const { return created_; }

 private:
  void Run(const std::string& address) {
    try {
      CheckpointClient client(address);
      while (client.Create().size() == 19) ++created_;
    } catch (const std::exception&) {
      // It was watching a job when the daemon was killed.
    }
  }

  std::atomic<uint64_t> created_{0};
  std::thread thread_;
};

// What all keys hold; the keys must agree.
uint64_t NumberIn(const std::string& address) {
  RawClient client(address);
  const std::string first = client.Get(KeyOf(0));
  for (int i = 1; i < kKeys; ++i) REQUIRE(client.Get(KeyOf(i)) == first);
  return first == "(none)" ? 0 : std::stoull(first);
}

TEST_CASE("after kill -9 in the middle of checkpoints a start never fails, and shows one state") {
  const TempDir dir;
  std::mt19937_64 random(Seed());
  DaemonProcess daemon({.directory = dir.path(),
                        .arguments = {"--engine", "memory", "--checkpoint-interval", "1s",
                                      "--checkpoint-retain", "3"}});
  uint64_t floor = 0;  // The state never goes back behind what was restored once.
  const auto rounds = Count(6, 200);
  for (uint64_t round = 0; round < rounds; ++round) {
    uint64_t last = 0;
    {
      const Writer writer(daemon.grpc(), floor + 1);
      const Requester requester(daemon.grpc());
      const uint64_t writes = floor + 1 + random() % 400;
      while (writer.acknowledged() < writes && !writer.ended()) std::this_thread::yield();
      daemon.Kill();
      last = writer.acknowledged();
    }
    daemon.Start();
    const uint64_t number = NumberIn(daemon.grpc());
    INFO("round " << round << ": " << floor << " <= " << number << " <= " << last + 1);
    CHECK(number >= floor);
    CHECK(number <= last + 1);
    CheckpointClient client(daemon.grpc());
    CHECK(client.Quarantined().empty());
    for (const std::string& id : client.Ids()) CHECK(client.Verify(id) == id);
    floor = number;
  }
  CHECK(floor > 0);
}

}  // namespace
}  // namespace tarn::testing
