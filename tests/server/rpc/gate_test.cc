#include "server/rpc/gate.h"

#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::server {
namespace {

using testing::Brief;

TEST_CASE("a server that stands by says so, and whom it waits for, until it is its turn") {
  Gate gate;
  CHECK(Brief(gate.Refusal()) == "UNAVAILABLE NOT_READY");
  gate.StandBy("the other one");
  CHECK(gate.standing_by_for() == "the other one");
  CHECK(Brief(gate.Refusal()) == "UNAVAILABLE NOT_OWNER");
  CHECK(gate.Refusal().message() ==
        "the store is owned by the other one; this daemon stands by; nothing was done");
  gate.StandBy("");
  CHECK(Brief(gate.Refusal()) == "UNAVAILABLE NOT_READY");
}

TEST_CASE("a server that is told to stop while it stands by is stopping") {
  Gate gate;
  gate.StandBy("the other one");
  gate.Drain();
  CHECK(Brief(gate.Refusal()) == "UNAVAILABLE DRAINING");
  CHECK(gate.standing_by_for().empty());
}

}  // namespace
}  // namespace tarn::server
