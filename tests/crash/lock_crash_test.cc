// Holders that are stopped for longer than their lease, a daemon that is killed, an old checkpoint
// that is restored, a wall clock that is stepped by an hour and back: no write lands under a token
// after a later one was granted, no token is granted twice, and no lease ends before its time.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/catch.h"
#include "tests/crash/lock_judge.h"
#include "tests/e2e/checkpoint_client.h"
#include "tests/storage/redis/support/redis_server.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wall_clock.h"

namespace tarn::testing {
namespace {

constexpr int kProcesses = 8;
constexpr int kThreads = 8;
constexpr int kTtlMs = 300;
constexpr int kLocks = 16;

class WorkerProcess {
 public:
  WorkerProcess(const std::string& endpoint, int rounds, const std::string& file) {
    const std::string program = std::string(std::getenv("TARN_BIN_DIR")) + "/lock_worker";
    std::vector<std::string> arguments = {program,
                                          endpoint,
                                          std::to_string(kThreads),
                                          std::to_string(rounds),
                                          std::to_string(kTtlMs),
                                          std::to_string(kLocks),
                                          file};
    std::vector<char*> pointers;
    for (std::string& one : arguments) pointers.push_back(one.data());
    pointers.push_back(nullptr);
    REQUIRE(posix_spawn(&pid_, program.c_str(), nullptr, nullptr, pointers.data(), environ) == 0);
  }
  ~WorkerProcess() {
    if (ended_) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  void Signal(int number) const { kill(pid_, number); }
  bool Ended() {
    int status = 0;
    if (!ended_ && waitpid(pid_, &status, WNOHANG) == pid_) {
      ended_ = true;
      CHECK(status == 0);
    }
    return ended_;
  }

 private:
  pid_t pid_ = -1;
  bool ended_ = false;
};

enum class Kills { kNone, kDaemon };

constexpr int kStepsPerStop = 10;

// Lets time pass in which the wall clock goes on by an hour, and back, now and then.
void StepFor(std::chrono::milliseconds span, SteppedWallClock& clock, std::mt19937& random) {
  for (int i = 0; i < kStepsPerStop; ++i) {
    const bool ahead = clock.offset() != std::chrono::hours(0);
    if (random() % 2 == 0) clock.Step(std::chrono::hours(ahead ? -1 : 1));
    std::this_thread::sleep_for(span / kStepsPerStop);
  }
}

LockJudge Contend(const std::vector<std::string>& arguments, Kills kills, uint64_t acquisitions) {
  TempDir dir;
  SteppedWallClock clock(dir.path());
  DaemonProcess daemon(
      {.directory = dir.path(), .arguments = arguments, .environment = clock.environment()});
  constexpr uint64_t kWorkers = uint64_t{kProcesses} * kThreads;
  const int rounds = static_cast<int>((acquisitions + kWorkers - 1) / kWorkers);
  const std::string old = CheckpointClient(daemon.grpc()).Create("restored again and again");
  std::vector<std::unique_ptr<WorkerProcess>> workers;
  const auto file_of = [&](int i) { return dir.path() + "/worker-" + std::to_string(i); };
  for (int i = 0; i < kProcesses; ++i)
    workers.push_back(std::make_unique<WorkerProcess>(daemon.grpc(), rounds, file_of(i)));
  std::mt19937 random(static_cast<unsigned>(Seed()));
  LockJudge judge;
  const auto all_ended = [&] {
    bool all = true;
    for (auto& worker : workers) all = worker->Ended() && all;
    return all;
  };
  for (int turn = 1; !all_ended(); ++turn) {
    WorkerProcess& victim = *workers[random() % workers.size()];
    if (!victim.Ended()) {
      victim.Signal(SIGSTOP);
      StepFor(std::chrono::milliseconds(kTtlMs * 2), clock, random);
      victim.Signal(SIGCONT);
    }
    if (kills == Kills::kDaemon && turn % 4 == 0) {
      daemon.Kill();
      daemon.Start();
    }
    if (turn % 8 == 1) {
      const int64_t begin = SinceBootMs();
      CHECK(CheckpointClient(daemon.grpc()).Restore(old) == old);
      judge.Excuse({.begin = begin, .end = SinceBootMs()});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 200));
  }
  for (int i = 0; i < kProcesses; ++i) {
    std::ifstream file(file_of(i));
    judge.Read(file);
  }
  return judge;
}

void Judge(const LockJudge& judge, uint64_t acquisitions) {
  CHECK(judge.granted() >= acquisitions);
  CHECK(judge.SharedTokens() == 0);
  CHECK(judge.StaleWrites() == 0);
  CHECK(judge.EarlyEnds(kTtlMs) == 0);
  if (!Soak()) return;
  CHECK(judge.fenced() > 0);  // Else nobody was stopped at the wrong moment, and nothing was shown.
  WARN(judge.granted() << " grants, " << judge.fenced() << " writes fenced");
}

TEST_CASE("stopped holders write nothing, whatever becomes of the daemon and its state") {
  const uint64_t acquisitions = Count(640, 50'000);
  Judge(Contend({"--engine", "rocksdb"}, Kills::kDaemon, acquisitions), acquisitions);
}

TEST_CASE("stopped holders write nothing, on the memory engine") {
  const uint64_t acquisitions = Count(640, 50'000);
  Judge(Contend({"--engine", "memory"}, Kills::kNone, acquisitions), acquisitions);
}

TEST_CASE("stopped holders write nothing, over Redis") {
  const uint64_t acquisitions = Count(640, 50'000);
  const RedisServer redis;
  const std::string url = "redis://127.0.0.1:" + std::to_string(redis.port());
  // Nobody else wants the store: a daemon that was killed need not be waited for.
  Judge(Contend({"--engine", "redis", "--redis-url", url, "--take-over"}, Kills::kDaemon,
                acquisitions),
        acquisitions);
}

}  // namespace
}  // namespace tarn::testing
