#include "server/service/service_reporter.h"

#include <unistd.h>

#include <atomic>

#include "tests/catch.h"
#include "tests/support/service_manager.h"
#include "tests/support/status.h"
#include "tests/support/temp_dir.h"

namespace tarn::server {
namespace {

using testing::FakeServiceManager;
using testing::TempDir;
using Environment = std::map<std::string, std::string>;

// Longer than any test: what is said sooner was not said because of it.
constexpr absl::Duration kNever = absl::Hours(1);

ServiceReport Serving() { return {ServicePhase::kReady, "serving"}; }

TEST_CASE("what changed is said at once when asked, and once more in the end") {
  const TempDir dir;
  const FakeServiceManager manager(dir / "notify");
  std::atomic<ServicePhase> phase{ServicePhase::kStarting};
  auto reporter = ServiceReporter::Start(
      {{"NOTIFY_SOCKET", manager.address()}},
      [&] {
        return ServiceReport{phase, "x"};
      },
      kNever);
  REQUIRE(reporter != nullptr);
  CHECK(manager.Next() == "STATUS=x\nEXTEND_TIMEOUT_USEC=60000000\n");
  phase = ServicePhase::kReady;
  reporter->Hurry();
  CHECK(manager.Next() == "READY=1\nSTATUS=x\n");
  phase = ServicePhase::kStopping;
  reporter.reset();
  CHECK(manager.Next() == "STOPPING=1\nSTATUS=x\nEXTEND_TIMEOUT_USEC=60000000\n");
}

TEST_CASE("what changed is noticed without being asked") {
  const TempDir dir;
  const FakeServiceManager manager(dir / "notify");
  std::atomic<int> entries{0};
  const auto reporter = ServiceReporter::Start(
      {{"NOTIFY_SOCKET", manager.address()}},
      [&] {
        return ServiceReport{ServicePhase::kReady, std::to_string(entries)};
      },
      absl::Milliseconds(1));
  CHECK(manager.Next() == "READY=1\nSTATUS=0\n");
  entries = 1;
  CHECK(manager.Next() == "STATUS=1\n");
}

TEST_CASE("a socket that is no file is reached by its name") {
  const TempDir dir;
  const FakeServiceManager manager("@" + (dir / "notify"));
  const auto reporter =
      ServiceReporter::Start({{"NOTIFY_SOCKET", manager.address()}}, Serving, kNever);
  CHECK(manager.Next() == "READY=1\nSTATUS=serving\n");
}

TEST_CASE("the watchdog is fed only when one was asked for, of this process") {
  const TempDir dir;
  const FakeServiceManager manager(dir / "notify");
  const auto fed = [&](Environment environment) {
    environment["NOTIFY_SOCKET"] = manager.address();
    auto reporter = ServiceReporter::Start(environment, Serving, kNever);
    REQUIRE(manager.Next() == "READY=1\nSTATUS=serving\n");
    reporter->Alive();
    reporter.reset();
    return manager.Waiting();
  };
  CHECK(fed({{"WATCHDOG_USEC", "1000000"}}) == "WATCHDOG=1");
  CHECK(fed({{"WATCHDOG_USEC", "1000000"}, {"WATCHDOG_PID", std::to_string(getpid())}}) ==
        "WATCHDOG=1");
  CHECK(fed({{"WATCHDOG_USEC", "1000000"}, {"WATCHDOG_PID", "1"}}).empty());
  CHECK(fed({}).empty());
}

TEST_CASE("before there is a main loop, the reporter feeds the watchdog itself") {
  const TempDir dir;
  const FakeServiceManager manager(dir / "notify");
  const auto reporter = ServiceReporter::Start(
      {{"NOTIFY_SOCKET", manager.address()}, {"WATCHDOG_USEC", "1000000"}},
      [] {
        return ServiceReport{ServicePhase::kStandby, "waiting"};
      },
      absl::Milliseconds(1));
  CHECK(manager.Next() == "WATCHDOG=1");
  CHECK(manager.Next() == "READY=1\nSTATUS=waiting\n");
  CHECK(manager.Next() == "WATCHDOG=1");
}

TEST_CASE("without a service manager nobody is told anything") {
  CHECK(ServiceReporter::Start({}, Serving) == nullptr);
  CHECK(ServiceReporter::Start({{"NOTIFY_SOCKET", ""}}, Serving) == nullptr);
  CHECK(ServiceReporter::Start({{"NOTIFY_SOCKET", "elsewhere"}}, Serving) == nullptr);
}

TEST_CASE("an address that is none is refused") {
  CHECK(testing::Brief(NotifySocket::Open("vsock:2:1234")) == "INVALID_ARGUMENT");
  CHECK(testing::Brief(NotifySocket::Open("/")) == "INVALID_ARGUMENT");
  CHECK(testing::Brief(NotifySocket::Open("/" + std::string(200, 'x'))) == "INVALID_ARGUMENT");
}

TEST_CASE("a manager that was away hears all of it again") {
  const TempDir dir;
  const auto reporter =
      ServiceReporter::Start({{"NOTIFY_SOCKET", dir / "notify"}}, Serving, absl::Milliseconds(1));
  const FakeServiceManager manager(dir / "notify");
  CHECK(manager.Next() == "READY=1\nSTATUS=serving\n");
}

TEST_CASE("what nobody takes is an error") {
  const TempDir dir;
  const auto socket = testing::Value(NotifySocket::Open(dir / "notify"));
  CHECK(testing::Brief(socket->Send("READY=1")) == "UNAVAILABLE");
}

}  // namespace
}  // namespace tarn::server
