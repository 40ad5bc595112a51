// Starting with checkpoints: what comes back, and when a daemon rather does not start.
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "tests/catch.h"
#include "tests/e2e/checkpoint_client.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

using Await = DaemonProcess::Options::Await;
using Strings = std::vector<std::string>;

// A directory with data and checkpoints, and the daemons that come and go in it.
class World {
 public:
  std::string Checkpoints() const { return dir_ / "checkpoints"; }
  std::string Path(const std::string& id) const { return Checkpoints() + "/" + id + ".ckpt"; }

  DaemonProcess Start(const Strings& more = {}) { return DaemonProcess(With(more)); }

  struct Ended {
    int code;
    std::string log;
    bool Says(const std::string& text) const { return log.find(text) != std::string::npos; }
  };
  Ended StartInVain(const Strings& more = {}) {
    DaemonProcess::Options options = With(more);
    options.await = Await::kNothing;
    DaemonProcess daemon(options);
    const int code = daemon.Wait();
    return {code, daemon.FinalLog()};
  }

  void LoseData() { std::filesystem::remove_all(dir_ / "data"); }
  void LoseCheckpoints() { std::filesystem::remove_all(Checkpoints()); }

  // A checkpoint each with k=1, k=2, ...
  Strings Make(int count, const Strings& more = {}) {
    Strings ids;
    DaemonProcess daemon = Start(more);
    CheckpointClient client(daemon.grpc());
    for (int i = 1; i <= count; ++i) {
      REQUIRE(client.raw().Put("k", std::to_string(i)) == "OK");
      ids.push_back(client.Create());
    }
    daemon.Kill();
    return ids;
  }

 private:
  DaemonProcess::Options With(const Strings& more) const {
    DaemonProcess::Options options{.directory = dir_.path(),
                                   .arguments = {"--engine", "memory", "--checkpoint-interval",
                                                 "0s", "--checkpoint-dir", Checkpoints()}};
    options.arguments.insert(options.arguments.end(), more.begin(), more.end());
    return options;
  }

  TempDir dir_;
};

TEST_CASE("after kill -9 and the loss of the data directory, the checkpointed state is back") {
  World world;
  world.Make(2);
  world.LoseData();
  const std::string engine = GENERATE(std::string("memory"), std::string("rocksdb"));
  DaemonProcess daemon = world.Start({"--engine", engine});
  CHECK(RawClient(daemon.grpc()).All() == "k=2");
  CHECK(CheckpointClient(daemon.grpc()).Ids().size() == 2);
}

TEST_CASE("checkpoints are made by themselves, and a last one when the daemon is stopped") {
  World world;
  {
    DaemonProcess daemon = world.Start({"--checkpoint-interval", "1s", "--log-level", "debug"});
    REQUIRE(RawClient(daemon.grpc()).Put("k", "1") == "OK");
    daemon.AwaitLog("debug checkpoint 00000001-0000000001");
    REQUIRE(RawClient(daemon.grpc()).Put("k", "2") == "OK");
    CHECK(daemon.Stop() == 0);
  }
  DaemonProcess daemon = world.Start();
  CHECK(RawClient(daemon.grpc()).All() == "k=2");
}

TEST_CASE("damaged checkpoints are set aside, and the newest valid one is taken") {
  World world;
  const Strings ids = world.Make(3);
  FlipByte(world.Path(ids[2]), 260);
  FlipByte(world.Path(ids[1]), 10);
  DaemonProcess daemon = world.Start();
  CHECK(RawClient(daemon.grpc()).All() == "k=1");
  CHECK(daemon.log().find(world.Path(ids[2])) != std::string::npos);
  CHECK(CheckpointClient(daemon.grpc()).Quarantined() == Strings{ids[1], ids[2]});
}

TEST_CASE(
    "when none is valid a start is refused, unless it may be empty; then nothing is deleted") {
  World world;
  const Strings ids = world.Make(1);
  FlipByte(world.Path(ids[0]), 260);
  const auto refused = world.StartInVain();
  CHECK(refused.code == 4);
  CHECK(refused.Says("--allow-empty-start"));
  CHECK(world.StartInVain().code == 4);
  DaemonProcess daemon = world.Start({"--allow-empty-start"});
  CHECK(RawClient(daemon.grpc()).All().empty());
}

TEST_CASE("an empty start on demand keeps what was there before from retention") {
  World world;
  const Strings ids = world.Make(1);
  DaemonProcess daemon =
      world.Start({"--restore-on-start", "never", "--checkpoint-retain", "1",
                   "--checkpoint-retain-hourly", "0", "--checkpoint-retain-daily", "0"});
  CheckpointClient client(daemon.grpc());
  CHECK(client.raw().All().empty());
  Strings made;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(client.raw().Put("k", std::to_string(i)) == "OK");
    made.push_back(client.Create());
  }
  CHECK(client.Ids() == Strings{ids[0], made[2]});
}

TEST_CASE("the latest replaces what the engine has only if nothing newer is lost, or it may be") {
  World world;
  const Strings rocksdb = {"--engine", "rocksdb"};
  const Strings latest = {"--engine", "rocksdb", "--restore-on-start", "latest"};
  world.Make(1, rocksdb);
  {
    // Starts alone are no newer commits.
    DaemonProcess daemon = world.Start(latest);
    daemon.Kill();
    daemon.Start();
    CHECK(RawClient(daemon.grpc()).All() == "k=1");
    REQUIRE(RawClient(daemon.grpc()).Put("k", "2") == "OK");
    daemon.Kill();
  }
  const auto refused = world.StartInVain(latest);
  CHECK(refused.code == 2);
  CHECK(refused.Says("--discard-newer"));
  {
    DaemonProcess daemon = world.Start(rocksdb);
    CHECK(RawClient(daemon.grpc()).All() == "k=2");
    daemon.Kill();
  }
  Strings discard = latest;
  discard.push_back("--discard-newer");
  DaemonProcess daemon = world.Start(discard);
  CHECK(RawClient(daemon.grpc()).All() == "k=1");
}

TEST_CASE("a checkpoint directory that is gone, or of another store, stops the start") {
  World world;
  world.Make(1);
  SECTION("gone") {
    world.LoseCheckpoints();
    const auto refused = world.StartInVain();
    CHECK(refused.code == 5);
    CHECK(refused.Says("was never initialised; --allow-empty-start"));
    DaemonProcess daemon = world.Start({"--allow-empty-start"});
    CHECK(RawClient(daemon.grpc()).All().empty());
  }
  SECTION("of another store") {
    World other;
    other.Make(1);
    const auto refused = world.StartInVain({"--checkpoint-dir", other.Checkpoints()});
    CHECK(refused.code == 5);
    CHECK(refused.Says("belongs to store"));
    CHECK(refused.Says(other.Checkpoints()));
  }
  SECTION("in use") {
    DaemonProcess daemon = world.Start();
    World other;
    const auto refused = other.StartInVain({"--checkpoint-dir", world.Checkpoints()});
    CHECK(refused.code == 3);
    CHECK(refused.Says("process " + std::to_string(daemon.pid())));
  }
}

TEST_CASE("a reload takes over the interval and the retention") {
  const TempDir dir;
  const std::string file = dir / "tarn.toml";
  const auto write = [&](const std::string& text) { std::ofstream(file, std::ios::trunc) << text; };
  write("checkpoint-interval = \"0s\"\n");
  DaemonProcess daemon(
      {.directory = dir.path(),
       .arguments = {"--engine", "memory", "--config", file, "--log-level", "debug"}});
  write("checkpoint-interval = \"1s\"\ncheckpoint-retain = 3\n");
  daemon.Signal(SIGHUP);
  daemon.AwaitLog("reloaded checkpoint-interval: 0s -> 1s");
  daemon.AwaitLog("debug checkpoint 00000001-0000000001");
}

}  // namespace
}  // namespace tarn::testing
