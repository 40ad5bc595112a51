// A process that takes locks and writes under their tokens, and writes down what it was told. Its
// parent stops it, wakes it, and kills the daemon under it.
//
// lock_worker ENDPOINT THREADS ROUNDS TTL_MS LOCKS FILE
//
// Lines in FILE: "G lock token asked answered" a grant, "W lock token revision" a write that
// landed, "F lock token" one that was fenced, "R lock token when" that the lock is about to be
// given back. Times as in lock_judge.h.
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tarn/lock.h"
#include "tests/crash/lock_judge.h"

namespace {

using tarn::testing::SinceBootMs;

using std::chrono::milliseconds;

struct Job {
  std::string endpoint;
  int rounds = 0;
  milliseconds ttl{0};
  int locks = 0;
  int file = -1;
};

void Say(const Job& job, const std::string& line) {
  const std::string whole = line + "\n";
  if (write(job.file, whole.data(), whole.size()) < 0) std::abort();
}

tarn::ClientOptions OptionsOf(const Job& job) {
  tarn::ClientOptions options{.endpoint = job.endpoint};
  options.call_timeout = milliseconds(10'000);
  options.retry_policy = std::make_shared<tarn::LimitedTimeRetryPolicy>(milliseconds(10'000));
  options.backoff_policy =
      std::make_shared<tarn::ExponentialBackoffPolicy>(milliseconds(5), milliseconds(100));
  return options;
}

// Writes as if it could not lose the lock: the fence alone stands between it and harm.
void WriteUnder(const Job& job, const tarn::Client& client, const std::string& lock,
                tarn::Revision token) {
  const tarn::Client mine = tarn::Fenced(client, {.lock = lock, .token = token});
  const std::string what = lock + " " + std::to_string(token);
  for (int i = 0; i < 3; ++i) {
    const auto put = mine.Put("register-" + lock, std::to_string(token));
    if (put.ok()) Say(job, "W " + what + " " + std::to_string(put->revision));
    if (tarn::ReasonOf(put.status()) == tarn::Reason::kFenced) return Say(job, "F " + what);
  }
}

void Work(const Job& job, int number) {
  const auto locks = tarn::LockClient::Connect(OptionsOf(job));
  const auto client = tarn::Client::Connect(OptionsOf(job));
  if (!locks.ok() || !client.ok()) std::abort();
  std::mt19937 random(static_cast<unsigned>(getpid() * 100 + number));
  for (int done = 0; done < job.rounds;) {
    const std::string lock = "lock-" + std::to_string(random() % static_cast<unsigned>(job.locks));
    const int64_t asked = SinceBootMs();
    const auto grant = locks->Acquire(
        lock, {.ttl = job.ttl, .wait = milliseconds(5'000), .holder = std::to_string(number)});
    if (!grant.ok()) continue;
    ++done;
    const std::string what = lock + " " + std::to_string(grant->token) + " ";
    Say(job, "G " + what + std::to_string(asked) + " " + std::to_string(SinceBootMs()));
    WriteUnder(job, *client, lock, grant->token);
    Say(job, "R " + what + std::to_string(SinceBootMs()));
    (void)locks->Release(lock, grant->token);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) return 2;
  // It would ask for ever for a daemon that ended with the test.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setenv("GRPC_VERBOSITY", "NONE", 0);
  const int threads = std::atoi(argv[2]);
  const Job job{.endpoint = argv[1],
                .rounds = std::atoi(argv[3]),
                .ttl = milliseconds(std::atoi(argv[4])),
                .locks = std::atoi(argv[5]),
                .file = open(argv[6], O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600)};
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) all.emplace_back([&job, i] { Work(job, i); });
  for (std::thread& one : all) one.join();
  return 0;
}
