// What the service manager hears of a real daemon.
#include "tests/support/service_manager.h"

#include <signal.h>

#include "tests/catch.h"
#include "tests/e2e/raw_client.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

constexpr char kReady[] = "READY=1\n";

class World {
 public:
  DaemonProcess Start(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"--engine", "memory", "--checkpoint-interval", "1h"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return DaemonProcess(
        {.directory = dir_.path(),
         .arguments = arguments,
         .environment = {{"NOTIFY_SOCKET", manager_.address()}, {"WATCHDOG_USEC", "30000000"}},
         .await = DaemonProcess::Options::Await::kNothing});
  }

  // Everything said, up to and including the message that holds `text`.
  std::string HearUntil(const std::string& text) const {
    std::string heard;
    while (heard.find(text) == std::string::npos) heard += manager_.Next();
    return heard;
  }

 private:
  const TempDir dir_;
  const FakeServiceManager manager_{dir_ / "notify"};
};

TEST_CASE("a daemon that says it is ready serves") {
  const World world;
  DaemonProcess daemon = world.Start();
  const std::string heard = world.HearUntil(kReady);
  CHECK(heard.find("STATUS=opening the store") < heard.find(kReady));
  daemon.AwaitServing();
  CHECK(RawClient(daemon.grpc()).Put("key", "value") == "OK");
  CHECK(world.HearUntil("WATCHDOG=1").find("STOPPING") == std::string::npos);
}

TEST_CASE("a daemon that stops says so before it makes its final checkpoint") {
  const World world;
  DaemonProcess daemon = world.Start();
  world.HearUntil(kReady);
  daemon.Signal(SIGTERM);
  CHECK(world.HearUntil("STOPPING=1").find(kReady) == std::string::npos);
  CHECK(daemon.Wait() == 0);
}

TEST_CASE("a daemon that cannot start is never ready") {
  const World world;
  DaemonProcess daemon = world.Start({"--http-listen", "192.0.2.1:1", "--insecure-http-listen"});
  CHECK(world.HearUntil("STOPPING=1").find(kReady) == std::string::npos);
  CHECK(daemon.Wait() != 0);
}

}  // namespace
}  // namespace tarn::testing
