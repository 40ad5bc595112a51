// kill -9 of the window worker and of tarnd under it, at random and often: every event is counted
// exactly once.
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tarn/client.h"
#include "tests/catch.h"
#include "tests/client/examples/process.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"

namespace window_demo {
namespace {

using tarn::testing::DaemonProcess;

constexpr int kReplaced = 3;  // The exit code of a worker that was.

// The demo on the excerpts in tests/data.
class Demo {
 public:
  explicit Demo(std::string dataset) : dataset_(std::move(dataset)) {
    Run(Script("make_event_log.py") + " > " + log());
  }

  DaemonProcess& daemon() { return daemon_; }
  std::string log() const { return dir_ / "events"; }

  // Few events a commit: many instants at which to be killed.
  std::vector<std::string> WorkerArguments() const {
    return {"--log", log(),         "--endpoint", daemon_.grpc(), "--chunk",
            "7",     "--threshold", threshold(),  "--gap",        gap()};
  }

  // Compares all that tarnd holds with what the files say; the exit code.
  int Check() const {
    const std::string report = std::string(std::getenv("TARN_BIN_DIR")) +
                               "/window_report --show all --endpoint " + daemon_.grpc();
    return std::system(
        (report + " | " + Script("check_windows.py") + " " + threshold() + " " + gap()).c_str());
  }

 private:
  std::string threshold() const { return dataset_ == "temps" ? "650" : "60"; }
  std::string gap() const { return dataset_ == "temps" ? "64800" : "1800"; }

  std::string Script(const std::string& name) const {
    const std::string source = std::getenv("TARN_SOURCE_DIR");
    return source + "/client/examples/" + name + " " + dataset_ + " " + source + "/tests/data/" +
           dataset_;
  }
  static void Run(const std::string& command) {
    if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
  }

  const std::string dataset_;
  tarn::testing::TempDir dir_;
  DaemonProcess daemon_{{.directory = dir_.path()}};
};

// Reads up to so many lines of its progress; fewer if it ends before.
void Follow(Process& worker, int lines) {
  while (lines > 0 && worker.NextLine()) --lines;
}

TEST_CASE("every event is counted once, whenever the worker and tarnd are killed") {
  std::mt19937 random(tarn::testing::Seed());
  std::uniform_int_distribution<int> lines(1, 12);
  const uint64_t rounds = tarn::testing::Count(2, 100);
  for (uint64_t round = 0; round < rounds; ++round) {
    Demo demo(round % 2 == 0 ? "temps" : "flights");
    int kills = 0;
    for (bool finished = false; !finished;) {
      Process worker("window_worker", demo.WorkerArguments());
      Follow(worker, lines(random));
      if (random() % 3 == 0) {
        demo.daemon().Kill();
        demo.daemon().Start();
        Follow(worker, lines(random));
      }
      worker.Signal(SIGKILL);
      const int code = worker.Wait();
      REQUIRE((code == 0 || code == 128 + SIGKILL));
      finished = code == 0;
      kills += finished ? 0 : 1;
    }
    std::cout << "the worker was killed " << kills << " times" << std::endl;
    CHECK(kills > 3);
    REQUIRE(demo.Check() == 0);
  }
}

TEST_CASE("of two workers on one log the older stops, and every event is counted once") {
  Demo demo("temps");
  Process older("window_worker", demo.WorkerArguments());
  Follow(older, 5);
  older.Signal(SIGSTOP);
  Process newer("window_worker", demo.WorkerArguments());
  Follow(newer, 5);
  older.Signal(SIGCONT);
  CHECK(older.Wait() == kReplaced);
  Follow(newer, 1000);
  CHECK(newer.Wait() == 0);
  CHECK(demo.Check() == 0);
}

TEST_CASE("closed windows expire, open ones do not") {
  Demo demo("temps");
  Process worker("window_worker", demo.WorkerArguments());
  Follow(worker, 50);
  const tarn::Client client =
      tarn::Client::Connect({.endpoint = demo.daemon().grpc(), .ns = "windows"}).value();
  for (const auto& [prefix, expires] : {std::pair("open/", false), std::pair("closed/", true)}) {
    int entries = 0;
    tarn::Scan scan = client.Scan(tarn::KeyRange::Prefix(prefix));
    for (absl::StatusOr<tarn::Entry>& entry : scan) {
      REQUIRE(entry.ok());
      INFO(entry->key);
      CHECK(entry->expire_time.has_value() == expires);
      ++entries;
    }
    CHECK(entries > 0);
  }
}

TEST_CASE("the comparison fails when one event is counted twice, or not at all") {
  Demo demo("temps");
  Process worker("window_worker", demo.WorkerArguments());
  Follow(worker, 1000);
  REQUIRE(worker.Wait() == 0);
  const tarn::Client client =
      tarn::Client::Connect({.endpoint = demo.daemon().grpc(), .ns = "windows"}).value();
  REQUIRE(demo.Check() == 0);
  SECTION("by a counter") { REQUIRE(client.Increment("events/sf", GENERATE(-1, 1)).ok()); }
  SECTION("by a window that is not there") {
    REQUIRE(client.Delete("closed/window/sf/2010-06-02T00:00")->found);
  }
  SECTION("by one number of a window") {
    const std::string key = "closed/window/sf/2010-06-02T00:00";
    std::string value = client.Get(key)->value;
    value.back() = value.back() == '1' ? '2' : '1';
    REQUIRE(client.Put(key, value, {.ttl = tarn::Ttl::Of(std::chrono::hours(1))}).ok());
  }
  CHECK(demo.Check() != 0);
}

}  // namespace
}  // namespace window_demo
