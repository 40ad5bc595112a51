#include "server/service/service_talk.h"

#include "tests/catch.h"

namespace tarn::server {
namespace {

constexpr auto kStarting = ServicePhase::kStarting;
constexpr auto kReady = ServicePhase::kReady;
constexpr auto kStopping = ServicePhase::kStopping;

TEST_CASE("readiness is announced once, when starting is over") {
  ServiceTalk talk;
  CHECK(talk.Next({kStarting, "opening"}).find("READY") == std::string::npos);
  CHECK(talk.Next({kReady, "serving"}) == "READY=1\nSTATUS=serving\n");
  CHECK(talk.Next({kReady, "serving"}).empty());
  CHECK(talk.Next({kReady, "switching"}) == "STATUS=switching\n");
}

TEST_CASE("a standby is ready for its service manager, however long it waits") {
  ServiceTalk talk;
  talk.Next({kStarting, "opening"});
  CHECK(talk.Next({ServicePhase::kStandby, "waiting"}) == "READY=1\nSTATUS=waiting\n");
  CHECK(talk.Next({ServicePhase::kStandby, "waiting"}).empty());
}

TEST_CASE("a start that makes progress gets more time, and one that does not gets none") {
  ServiceTalk talk;
  CHECK(talk.Next({kStarting, "loading, 1"}) ==
        "STATUS=loading, 1\nEXTEND_TIMEOUT_USEC=60000000\n");
  CHECK(talk.Next({kStarting, "loading, 1"}).empty());
  CHECK(talk.Next({kStarting, "loading, 2"}) ==
        "STATUS=loading, 2\nEXTEND_TIMEOUT_USEC=60000000\n");
}

TEST_CASE("a stop is announced once, and gets more time while it makes progress") {
  ServiceTalk talk;
  talk.Next({kReady, "serving"});
  CHECK(talk.Next({kStopping, "stopping"}) ==
        "STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=60000000\n");
  CHECK(talk.Next({kStopping, "stopping, 5"}) ==
        "STATUS=stopping, 5\nEXTEND_TIMEOUT_USEC=60000000\n");
}

TEST_CASE("a status is one line") {
  ServiceTalk talk;
  CHECK(talk.Next({kReady, "a\nMAINPID=1"}) == "READY=1\nSTATUS=a MAINPID=1\n");
}

}  // namespace
}  // namespace tarn::server
