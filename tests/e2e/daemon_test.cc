// Starting and stopping.
#include "tests/support/daemon.h"

#include <signal.h>

#include "tests/catch.h"
#include "tests/support/http_get.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

TEST_CASE("a daemon stops with 0 when asked to") {
  const TempDir dir;
  DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", "memory"}});
  CHECK(HttpGet(daemon.http(), "/readyz").status == 200);
  CHECK(daemon.Stop() == 0);
}

TEST_CASE("a daemon that was killed starts again on the same ports") {
  const TempDir dir;
  DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", "memory"}});
  const std::string grpc = daemon.grpc();
  daemon.Kill();
  daemon.Start();
  CHECK(daemon.grpc() == grpc);
  CHECK(HttpGet(daemon.http(), "/readyz").status == 200);
}

}  // namespace
}  // namespace tarn::testing
