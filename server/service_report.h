// What the service manager is told of the daemon's state.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/jobs.h"
#include "server/rpc/gate.h"
#include "server/service/service_talk.h"

namespace tarn::server {

// Long work that is under way.
struct WorkUnderWay {
  std::string phase;  // For people; empty: none.
  uint64_t entries = 0;
  uint64_t expected_entries = 0;  // 0: unknown.
};

// Of the jobs, the oldest one that runs.
WorkUnderWay WorkOf(const std::vector<checkpoint::JobInfo>& jobs);

ServiceReport ReportOf(State state, const WorkUnderWay& work);

}  // namespace tarn::server
