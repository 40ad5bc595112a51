// kill -9 of the real daemon while it restores: it always starts again, with the state that was
// there before or with the one that was asked for, never with a mixture.
#include <chrono>
#include <random>
#include <string>

#include "tests/catch.h"
#include "tests/e2e/checkpoint_client.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kKeys = 512;
constexpr size_t kValueBytes = 8 << 10;

// In the range that is restored alone, and outside of it.
std::string Inside(int i) { return "in" + std::to_string(i); }
std::string Outside(int i) { return "out" + std::to_string(i); }

// A value that takes a while to restore, and tells its generation in the first byte.
void WriteAll(RawClient& client, char generation) {
  const std::string value(kValueBytes, generation);
  for (int i = 0; i < kKeys; ++i) {
    REQUIRE(client.Put(Inside(i), value) == "OK");
    REQUIRE(client.Put(Outside(i), value) == "OK");
  }
}

// Of all keys that `name` makes; the keys must agree.
char GenerationOf(RawClient& client, std::string (*name)(int)) {
  const std::string first = client.Get(name(0));
  REQUIRE(first.size() == kValueBytes);
  // The values are too long to be shown.
  for (int i = 1; i < kKeys; ++i) REQUIRE((client.Get(name(i)) == first));
  return first[0];
}

v1::RestoreCheckpointRequest RequestFor(const std::string& id, const std::string& prefix) {
  v1::RestoreCheckpointRequest request;
  request.set_id(id);
  if (!prefix.empty()) request.mutable_range()->mutable_range()->set_prefix(prefix);
  return request;
}

// A time of chance after the beginning of a restore; later with each round, until well after its
// end.
Clock::duration MomentOf(int round, int rounds, Clock::duration duration, std::mt19937_64& random) {
  const auto spread = static_cast<int>(random() % 100);
  return duration * (100 * round + spread) * 5 / (200 * rounds);
}

// Begins a restore and kills the daemon some time later. Whether the job was seen to have succeeded
// before that.
bool KillWithin(DaemonProcess& daemon, const v1::RestoreCheckpointRequest& request,
                Clock::duration moment) {
  bool succeeded = false;
  {
    CheckpointClient client(daemon.grpc());
    std::string error;
    const Clock::time_point end = Clock::now() + moment;
    const auto job = client.Begin(request, &error);
    INFO(error);
    REQUIRE(job);
    while (Clock::now() < end) succeeded = client.StateOf(job->id()) == v1::JOB_STATE_SUCCEEDED;
    daemon.Kill();
  }
  daemon.Start();
  return succeeded;
}

Clock::duration TimeOf(CheckpointClient& client, const v1::RestoreCheckpointRequest& request) {
  const Clock::time_point start = Clock::now();
  REQUIRE(client.Restore(request) == request.id());
  return Clock::now() - start;
}

// Two checkpoints, 'a' and 'b', of which the second is the state.
struct Subject {
  explicit Subject(const std::string& engine)
      : daemon({.directory = dir.path(),
                .arguments = {"--engine", engine, "--checkpoint-interval", "0s"}}) {
    CheckpointClient client(daemon.grpc());
    WriteAll(client.raw(), 'a');
    a = client.Create("for the test");
    WriteAll(client.raw(), 'b');
    b = client.Create("for the test");
  }
  const std::string& other(char state) const { return state == 'a' ? b : a; }

  TempDir dir;
  DaemonProcess daemon;
  std::string a;
  std::string b;
};

std::string AnyEngine() { return GENERATE(std::string("memory"), std::string("rocksdb")); }

void CheckWhole(DaemonProcess& daemon) {
  CheckpointClient client(daemon.grpc());
  CHECK(client.Quarantined().empty());
  REQUIRE(client.raw().Put("after", "1") == "OK");
  REQUIRE(client.raw().Delete("after") == "OK");
}

TEST_CASE("after kill -9 within a restore the state is the old or the new one") {
  Subject subject(AnyEngine());
  std::mt19937_64 random(Seed());
  Clock::duration duration;
  {
    CheckpointClient client(subject.daemon.grpc());
    duration = TimeOf(client, RequestFor(subject.a, ""));
  }
  char state = 'a';
  int switched = 0;
  const int rounds = static_cast<int>(Count(12, 200));
  for (int round = 0; round < rounds; ++round) {
    const Clock::duration moment = MomentOf(round, rounds, duration, random);
    const bool succeeded = KillWithin(subject.daemon, RequestFor(subject.other(state), ""), moment);
    RawClient raw(subject.daemon.grpc());
    const char now = GenerationOf(raw, Inside);
    CHECK(GenerationOf(raw, Outside) == now);
    if (succeeded) CHECK(now != state);
    CheckWhole(subject.daemon);
    switched += now != state;
    state = now;
  }
  CHECK(switched > 0);
  CHECK(switched < rounds);
}

TEST_CASE("after kill -9 within the restore of a range the range is the old or the new one") {
  Subject subject(AnyEngine());
  std::mt19937_64 random(Seed());
  Clock::duration duration;
  {
    CheckpointClient client(subject.daemon.grpc());
    duration = TimeOf(client, RequestFor(subject.a, "in"));
  }
  char state = 'a';
  int switched = 0;
  const int rounds = static_cast<int>(Count(12, 200));
  for (int round = 0; round < rounds; ++round) {
    const Clock::duration moment = MomentOf(round, rounds, duration, random);
    const bool succeeded =
        KillWithin(subject.daemon, RequestFor(subject.other(state), "in"), moment);
    RawClient raw(subject.daemon.grpc());
    const char now = GenerationOf(raw, Inside);
    CHECK(GenerationOf(raw, Outside) == 'b');
    if (succeeded) CHECK(now != state);
    CheckWhole(subject.daemon);
    switched += now != state;
    state = now;
  }
  CHECK(switched > 0);
  CHECK(switched < rounds);
}

}  // namespace
}  // namespace tarn::testing
