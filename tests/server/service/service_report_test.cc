#include "server/service_report.h"

#include "tests/catch.h"

namespace tarn::server {
namespace {

TEST_CASE("a daemon is ready for its service manager when it serves, and stays so in a restore") {
  CHECK(ReportOf(State::kStarting, {}).phase == ServicePhase::kStarting);
  CHECK(ReportOf(State::kServing, {}).phase == ServicePhase::kReady);
  CHECK(ReportOf(State::kRestoring, {}).phase == ServicePhase::kReady);
  CHECK(ReportOf(State::kDraining, {}).phase == ServicePhase::kStopping);
}

TEST_CASE("a report says how far a restore has come") {
  CHECK(ReportOf(State::kStarting, {}).doing == "opening the store");
  CHECK(ReportOf(State::kStarting, {"loading", 5, 10}).doing ==
        "opening the store: loading, 5 of 10 entries");
  CHECK(ReportOf(State::kDraining, {"", 5, 0}).doing == "stopping, 5 entries");
}

TEST_CASE("of several jobs, a report is about the oldest that runs") {
  using checkpoint::JobState;
  const std::vector<checkpoint::JobInfo> jobs = {
      {.id = 1, .state = JobState::kSucceeded},
      {.id = 3, .state = JobState::kRunning, .phase = "reading"},
      {.id = 2,
       .kind = checkpoint::JobKind::kCheckpoint,
       .state = JobState::kRunning,
       .phase = "writing",
       .entries = 5,
       .total_entries = 9}};
  CHECK(ReportOf(State::kDraining, WorkOf(jobs)).doing ==
        "stopping: checkpoint, writing, 5 of 9 entries");
  CHECK(ReportOf(State::kDraining, WorkOf({})).doing == "stopping");
}

}  // namespace
}  // namespace tarn::server
