// kill -9 of the real daemon under load, again and again: what was acknowledged is there, what was
// refused is not, and revisions never go back.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/executor.h"
#include "storage/base/file_system.h"
#include "storage/rocksdb/rocksdb_engine.h"
#include "storage/usage.h"
#include "tarn/v1/state.grpc.pb.h"
#include "tests/catch.h"
#include "tests/crash/worker.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"
#include <grpcpp/grpcpp.h>

namespace tarn::testing {
namespace {

constexpr int kWorkers = 8;

std::unique_ptr<tarn::v1::StateService::Stub> Connect(const std::string& address) {
  return tarn::v1::StateService::NewStub(
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
}

// Everything the daemon holds, read in one scan.
Contents ReadAll(tarn::v1::StateService::StubInterface& daemon) {
  grpc::ClientContext context;
  auto stream = daemon.Scan(&context, tarn::v1::ScanRequest());
  Contents contents;
  tarn::v1::ScanResponse chunk;
  while (stream->Read(&chunk)) {
    for (const auto& entry : chunk.entries()) {
      const Stored stored{entry.value(), entry.revision(), entry.expire_time_ms()};
      if (!contents.emplace(entry.key(), stored).second)
        throw std::runtime_error("a key was scanned twice");
    }
  }
  const grpc::Status status = stream->Finish();
  if (!status.ok()) throw std::runtime_error("cannot scan: " + status.error_message());
  return contents;
}

Contents Below(const Contents& contents, const std::string& prefix) {
  Contents below;
  for (auto it = contents.lower_bound(prefix);
       it != contents.end() && it->first.rfind(prefix, 0) == 0; ++it) {
    below.insert(*it);
  }
  return below;
}

int64_t SumOfAccounts(const Contents& contents) {
  int64_t sum = 0;
  for (const auto& [key, stored] : Below(contents, kAccountPrefix)) {
    int64_t balance = 0;
    std::from_chars(stored.value.data(), stored.value.data() + stored.value.size(), balance);
    sum += balance;
  }
  return sum;
}

// What a dead daemon left behind, opened without it: the engine's own check of all it holds. On a
// copy, so that the next daemon finds what the killed one left.
std::string Inspect(const std::string& data_dir) {
  const TempDir copy;
  std::filesystem::copy(data_dir + "/rocksdb", copy / "rocksdb",
                        std::filesystem::copy_options::recursive);
  const base::SystemClock clock;
  base::ThreadPool executor(base::ThreadPool::Options{.name = "inspect"});
  storage::UsageLedger ledger;
  storage::RocksDbOptions options;
  options.path = copy / "rocksdb";
  auto engine =
      storage::RocksDbEngine::Open(options, {clock, executor, ledger, base::PosixFileSystem()});
  return (engine.ok() ? (*engine)->CheckConsistency() : engine.status()).ToString();
}

// The write-ahead log that was begun last.
std::filesystem::path NewestLog(const std::filesystem::path& directory) {
  std::filesystem::path newest;
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory)) {
    if (file.path().extension() == ".log" && file.path().filename() > newest.filename())
      newest = file.path();
  }
  return newest;
}

class CrashRun {
 public:
  explicit CrashRun(uint32_t seed) : random_(seed) {
    for (int i = 0; i < kWorkers; ++i) workers_.push_back(std::make_unique<Worker>(i, seed));
  }

  void Round() { Round(SomeArguments(), 1 + random_() % 3'000); }

  // Starts the daemon, checks what it has, and kills it under load.
  void Round(std::vector<std::string> arguments, uint64_t batches) {
    DaemonProcess daemon({.directory = directory_.path(), .arguments = std::move(arguments)});
    const auto stub = Connect(daemon.grpc());
    Check(ReadAll(*stub));
    KillUnderLoad(daemon, batches);
    CHECK(Inspect(daemon.data_dir()) == "OK");
  }

  // Kills a daemon that has only begun to open its store.
  void KilledAtStart() {
    DaemonProcess daemon({.directory = directory_.path(),
                          .arguments = SomeArguments(),
                          .await = DaemonProcess::Options::Await::kNothing});
    if (random_() % 2 == 0) daemon.AwaitLog("incarnation");
    daemon.Kill();
  }

  void CheckOnce() {
    DaemonProcess daemon({.directory = directory_.path(), .arguments = SomeArguments()});
    Check(ReadAll(*Connect(daemon.grpc())));
    CHECK(daemon.Stop() == 0);
  }

  // Between a kill and the next start: loses the second half of the engine's log, as a machine
  // would that had never written it. The engine cannot know.
  void LoseWrites() const {
    const std::filesystem::path log = NewestLog(directory_.path() + "/data/rocksdb");
    std::filesystem::resize_file(log, std::filesystem::file_size(log) / 2);
  }

  // What a daemon's state is found wrong with, when it is started again.
  std::vector<std::string> Findings() {
    DaemonProcess daemon({.directory = directory_.path(), .arguments = {"--engine", "rocksdb"}});
    const Contents contents = ReadAll(*Connect(daemon.grpc()));
    std::vector<std::string> wrong;
    for (const auto& worker : workers_) {
      worker->Settle(Below(contents, worker->prefix()));
      wrong.insert(wrong.end(), worker->wrong().begin(), worker->wrong().end());
    }
    return wrong;
  }

  uint64_t acknowledged() const { return acknowledged_; }
  uint64_t unanswered() const { return Sum(&Worker::unanswered); }
  uint64_t refusals() const { return Sum(&Worker::refusals); }

 private:
  // With little memory tables are flushed and compacted all the time. Synced or not must not matter
  // to a kill.
  std::vector<std::string> SomeArguments() {
    std::vector<std::string> arguments = {"--engine", "rocksdb"};
    if (random_() % 2 == 0) arguments.insert(arguments.end(), {"--rocksdb-memory", "8MiB"});
    if (random_() % 4 == 0) arguments.insert(arguments.end(), {"--durability", "disk"});
    return arguments;
  }

  uint64_t Sum(uint64_t (Worker::*count)() const) const {
    uint64_t sum = 0;
    for (const auto& worker : workers_) sum += (*worker.*count)();
    return sum;
  }

  void Check(const Contents& contents) {
    size_t known = Below(contents, kAccountPrefix).size();
    for (const auto& worker : workers_) {
      const Contents mine = Below(contents, worker->prefix());
      known += mine.size();
      worker->Settle(mine);
    }
    CHECK(known == contents.size());
    CHECK(SumOfAccounts(contents) == 0);
    ReportWorkers();
  }

  void KillUnderLoad(DaemonProcess& daemon, uint64_t batches) {
    Run run(kWorkers);
    std::vector<std::thread> threads;
    for (const auto& worker : workers_) {
      threads.emplace_back(
          [&worker, &run, address = daemon.grpc()] { worker->Work(*Connect(address), run); });
    }
    run.AwaitAcknowledged(batches);
    run.BeginKilling();
    daemon.Kill();
    for (std::thread& thread : threads) thread.join();
    acknowledged_ += run.acknowledged();
    ReportWorkers();
  }

  void ReportWorkers() {
    bool sound = true;
    for (const auto& worker : workers_) {
      for (const std::string& what : worker->wrong()) {
        UNSCOPED_INFO(what);
        sound = false;
      }
    }
    REQUIRE(sound);
  }

  const TempDir directory_;
  std::mt19937 random_;
  std::vector<std::unique_ptr<Worker>> workers_;
  uint64_t acknowledged_ = 0;
};

TEST_CASE(
    "No acknowledged write is lost when the daemon is killed under load, and nothing else "
    "appears") {
  CrashRun run(Seed());
  const uint64_t kills = Count(10, 200);
  for (uint64_t i = 0; i < kills; ++i) {
    INFO("kill " << i);
    run.Round();
    if (i % 4 == 3) run.KilledAtStart();
  }
  run.CheckOnce();
  CHECK(run.unanswered() > 0);
  CHECK(run.refusals() > 0);
  WARN(kills << " kills, " << run.acknowledged() << " batches acknowledged, " << run.refusals()
             << " refused, " << run.unanswered() << " not answered");
}

TEST_CASE("A daemon that has lost acknowledged writes is found out") {
  CrashRun run(Seed());
  run.Round({"--engine", "rocksdb"}, 500);
  run.LoseWrites();
  CHECK_FALSE(run.Findings().empty());
}

}  // namespace
}  // namespace tarn::testing
