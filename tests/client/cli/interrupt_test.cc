// tarnctl as a process, interrupted.
#include <signal.h>

#include <future>
#include <string>

#include "tests/catch.h"
#include "tests/client/examples/process.h"
#include "tests/client/fake_server.h"

namespace tarn::cli {
namespace {

using window_demo::Process;

TEST_CASE("Ctrl-C ends a command that waits") {
  testing::FakeServer server;
  server.get_stats.ThenAnswer();
  Process tarnctl("tarnctl", {"--endpoint", server.endpoint(), "stat", "--interval", "10ms"});
  REQUIRE(tarnctl.NextLine().has_value());
  tarnctl.Signal(SIGINT);
  CHECK(tarnctl.Wait() == 130);
}

TEST_CASE("Ctrl-C ends a command whose call is not answered") {
  testing::FakeServer server;
  std::promise<void> called;
  std::promise<void> over;
  server.get.Then([&](const v1::GetRequest&, v1::GetResponse*) {
    called.set_value();
    over.get_future().wait();
    return grpc::Status::OK;
  });
  Process tarnctl("tarnctl", {"--endpoint", server.endpoint(), "get", "k"});
  called.get_future().wait();
  tarnctl.Signal(SIGINT);
  CHECK(tarnctl.Wait() == 130);
  over.set_value();
}

}  // namespace
}  // namespace tarn::cli
